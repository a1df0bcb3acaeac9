{# dbt's incremental, as on SQLite: rows whose unique_key comes again are replaced, all others added; a pre_hook in the
   transaction may delete what has become void, since it runs after the select and before its rows go in. #}
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
