{# A rollup that grows by the new rows. The select returns the rows after rolled_up_to(), aggregated by unique_key. They
   are added to the existing rows, and the watermark moves in the same transaction: each row counts exactly once, even
   if a build is killed. #}
{% materialization additive, adapter='sqlite' %}
    {% do assert_additive() %}
    {% set adds = is_incremental() %}
    {% set watermark = config.get('watermark') %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% set staged = sqlite_stage(sql) %}
    {% if adds %}
        {% set computed_at = make_temp_relation(this, '__dbt_watermark') %}
        {% do run_query(
            'create temporary table ' ~ adapter.quote(computed_at.identifier)
            ~ ' as select coalesce(max(' ~ watermark ~ '), 0) as watermark from ' ~ this
        ) %}
        {% do sqlite_take_write_lock(writes_next=not pre_hooks) %}
        {% do run_hooks(pre_hooks, inside_transaction=true) %}
        {% do run_query(sqlite_additive_merge(staged, watermark, computed_at)) %}
    {% else %}
        {% do sqlite_swap_in(staged) %}
    {% endif %}
    {{ return(sqlite_finish()) }}
{% endmaterialization %}
