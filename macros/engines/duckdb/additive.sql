{% materialization additive, adapter='duckdb' %}
    {{ return(build_additive()) }}
{% endmaterialization %}
