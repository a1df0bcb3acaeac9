{% materialization incremental, adapter='duckdb' %}
    {{ return(build_incremental()) }}
{% endmaterialization %}
