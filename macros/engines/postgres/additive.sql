{% materialization additive, adapter='postgres' %}
    {{ return(build_additive()) }}
{% endmaterialization %}
