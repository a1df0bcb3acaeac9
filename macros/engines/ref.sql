{# dbt's own ref(), every form of it, but for how the result is spelled in SQL. #}
{% macro ref() %}
    {% do return(relation_in_sql(builtins.ref(*varargs, **kwargs))) %}
{% endmacro %}
