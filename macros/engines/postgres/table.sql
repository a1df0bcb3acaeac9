{% materialization table, adapter='postgres' %}
    {{ return(build_table()) }}
{% endmaterialization %}
