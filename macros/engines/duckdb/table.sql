{% materialization table, adapter='duckdb' %}
    {{ return(build_table()) }}
{% endmaterialization %}
