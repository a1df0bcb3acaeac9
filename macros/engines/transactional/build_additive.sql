{# A rollup that grows by the new rows, as on SQLite. The table is locked from the start, so no other build can change
   it between reading the watermark and the merge. #}
{% macro build_additive() %}
    {% do assert_additive() %}
    {% set adds = is_incremental() %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% do hold_for_build(adds) %}
    {% set staged = stage(sql) %}
    {% do run_hooks(pre_hooks, inside_transaction=true) %}
    {% if adds %}
        {% set columns = adapter.get_columns_in_relation(this) | map(attribute='quoted') | join(', ') %}
        {% do run_query(additive_merge(staged, columns)) %}
    {% else %}
        {% do put_in_place(staged) %}
    {% endif %}
    {% do return(finish()) %}
{% endmacro %}
