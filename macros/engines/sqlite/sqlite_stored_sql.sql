{# The statement that made a table or view, as SQLite keeps it; none where there is no such thing. #}
{% macro sqlite_stored_sql(relation) %}
    {% set stored = run_query(
        "select sql from sqlite_master where type in ('table', 'view') and name = '" ~ relation.identifier ~ "'"
    ) %}
    {% do return(stored.rows[0][0] if stored.rows else none) %}
{% endmacro %}
