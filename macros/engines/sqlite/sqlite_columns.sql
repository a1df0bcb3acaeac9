{# Rows with name and type. adapter.get_columns_in_relation returns the same, but takes dbt three times as long. A
   select from pragma_table_info would begin to read the file, and a later wait for the write lock would then fail. #}
{% macro sqlite_columns(relation) %}
    {% do return(run_query('pragma ' ~ relation.schema ~ '.table_info(' ~ adapter.quote(relation.identifier) ~ ')').rows) %}
{% endmacro %}
