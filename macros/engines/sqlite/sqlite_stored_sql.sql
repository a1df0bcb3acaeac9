{# The statement that created a table or view, as SQLite stores it; none if it does not exist. #}
{% macro sqlite_stored_sql(relation) %}
    {% set stored = run_query(
        "select sql from sqlite_master where type in ('table', 'view') and name = '" ~ relation.identifier ~ "'"
    ) %}
    {% do return(stored.rows[0][0] if stored.rows else none) %}
{% endmacro %}
