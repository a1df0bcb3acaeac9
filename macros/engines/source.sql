{# dbt's own source(). Only the way the result is written in SQL differs. #}
{% macro source() %}
    {% do return(relation_in_sql(builtins.source(*varargs, **kwargs))) %}
{% endmacro %}
