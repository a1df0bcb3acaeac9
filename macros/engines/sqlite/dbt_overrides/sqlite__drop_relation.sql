{% macro sqlite__drop_relation(relation) %}
    {% do sqlite_set_busy_timeout() %}
    {% do run_query('drop ' ~ relation.type ~ ' if exists ' ~ relation) %}
{% endmacro %}
