{% materialization view, adapter='spark' %}
    {% set standing = load_relation(this) %}
    {% set contracted = as_contracted(sql) %}
    {% do run_hooks(pre_hooks) %}
    {% if standing is not none and not standing.is_view %}
        {% do adapter.drop_relation(standing) %}
    {% endif %}
    {% call statement('main') %}
        create or replace view {{ this }} as
        {{ contracted }}
    {% endcall %}
    {{ return(spark_finish()) }}
{% endmaterialization %}
