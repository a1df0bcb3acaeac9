{# Names and types of the columns that a select returns, without running it. #}
{% macro columns_of_query(sql) %}
    {% do return(adapter.get_column_schema_from_query(get_empty_subquery_sql(sql))) %}
{% endmacro %}
