{# SQLite keeps no comments; descriptions live in dbt's documentation. #}
{% macro sqlite__persist_docs(relation, model, for_relation, for_columns) %}
{% endmacro %}
