{# dbt's incremental: a row whose unique_key comes again is replaced, all others are added. A pre_hook in the
   transaction may delete rows that are no longer valid: it runs after the select and before its rows are inserted. #}
{% materialization incremental, adapter='sqlite' %}
    {% set adds = is_incremental() %}
    {% set keys = config.get('unique_key', []) %}
    {% set key = ([keys] if keys is string else keys) | join(', ') %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% set staged = sqlite_stage(sql) %}
    {% if adds %}
        {% set columns = sqlite_column_list(staged) %}
        {% do sqlite_take_write_lock() %}
        {% do run_hooks(pre_hooks, inside_transaction=true) %}
        {% if key %}
            {% do run_query('delete from ' ~ this ~ ' where (' ~ key ~ ') in (select ' ~ key ~ ' from ' ~ staged ~ ')') %}
        {% endif %}
        {% do run_query('insert into ' ~ this ~ ' (' ~ columns ~ ') select ' ~ columns ~ ' from ' ~ staged) %}
    {% else %}
        {% do sqlite_swap_in(staged) %}
    {% endif %}
    {{ return(sqlite_finish()) }}
{% endmaterialization %}
