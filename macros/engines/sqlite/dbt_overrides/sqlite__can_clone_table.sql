{# dbt asks this before it clones. Its other way, a view of the other schema, would be a view of itself. #}
{% macro sqlite__can_clone_table() %}
    {% do exceptions.raise_compiler_error(
        'dbt clone cannot work on SQLite, where a file has one schema: copy the file with `loader backup NEW_FILE`'
    ) %}
{% endmacro %}
