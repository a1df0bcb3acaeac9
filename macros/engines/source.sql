{# dbt's own source(), but for how the result is spelled in SQL. #}
{% macro source() %}
    {% do return(relation_in_sql(builtins.source(*varargs, **kwargs))) %}
{% endmacro %}
