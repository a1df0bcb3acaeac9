{# SQLite stores no comments; the descriptions are in dbt's documentation. #}
{% macro sqlite__persist_docs(relation, model, for_relation, for_columns) %}
{% endmacro %}
