{% materialization incremental, adapter='postgres' %}
    {{ return(build_incremental()) }}
{% endmaterialization %}
