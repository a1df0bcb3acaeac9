{# dbt's own ref(), in every form. Only the way the result is written in SQL differs. #}
{% macro ref() %}
    {% do return(relation_in_sql(builtins.ref(*varargs, **kwargs))) %}
{% endmacro %}
