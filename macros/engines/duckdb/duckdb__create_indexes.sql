{# DuckDB is fast at scans. Its indexes slow down writing, and it creates one anyway for a key in the contract. #}
{% macro duckdb__create_indexes(relation) %}
{% endmacro %}
