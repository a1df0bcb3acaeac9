{% materialization table, adapter='duckdb' %}
    {{ return(build_table()) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {{ return(build_view()) }}
{% endmaterialization %}

{% materialization incremental, adapter='duckdb' %}
    {{ return(build_incremental()) }}
{% endmaterialization %}

{% materialization additive, adapter='duckdb' %}
    {{ return(build_additive()) }}
{% endmaterialization %}


{# DuckDB is fast at scans. Its indexes slow down writing, and it creates one anyway for a key in the contract. #}
{% macro duckdb__create_indexes(relation) %}
{% endmacro %}
