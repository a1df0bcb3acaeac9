{# Scans are what DuckDB is for; its indexes slow down writing, and a key that the contract names has one anyway. #}
{% macro duckdb__create_indexes(relation) %}
{% endmacro %}
