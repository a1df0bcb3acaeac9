{% materialization view, adapter='duckdb' %}
    {{ return(build_view()) }}
{% endmaterialization %}
