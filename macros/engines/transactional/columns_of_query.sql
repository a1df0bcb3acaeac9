{# Names and types of what a select yields, without running it. #}
{% macro columns_of_query(sql) %}
    {% do return(adapter.get_column_schema_from_query(get_empty_subquery_sql(sql))) %}
{% endmacro %}
