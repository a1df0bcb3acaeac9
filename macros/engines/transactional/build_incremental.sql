{# dbt's incremental, as on SQLite: a row whose unique_key comes again is replaced, all others are added. A pre_hook in
   the transaction may delete rows that are no longer valid: it runs after the select and before its rows are inserted. #}
{% macro build_incremental() %}
    {% set adds = is_incremental() %}
    {% set keys = config.get('unique_key', []) %}
    {% set key = ([keys] if keys is string else keys) | join(', ') %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% do hold_for_build(adds) %}
    {% set staged = stage(sql) %}
    {% do run_hooks(pre_hooks, inside_transaction=true) %}
    {% if adds %}
        {% if key %}
            {% do run_query('delete from ' ~ this ~ ' where (' ~ key ~ ') in (select ' ~ key ~ ' from ' ~ staged ~ ')') %}
        {% endif %}
        {% do run_query('insert into ' ~ this ~ ' select * from ' ~ staged) %}
    {% else %}
        {% do put_in_place(staged) %}
    {% endif %}
    {% do return(finish()) %}
{% endmacro %}
