{% materialization view, adapter='postgres' %}
    {{ return(build_view()) }}
{% endmaterialization %}
