{# A view with the columns and types of its contract. #}
{% macro build_view() %}
    {% set standing = load_relation(this) %}
    {% set contracted = as_contracted(sql) %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% do run_hooks(pre_hooks, inside_transaction=true) %}
    {% if standing is not none and (not standing.is_view or not replaces_view(standing, contracted)) %}
        {% do adapter.drop_relation(standing) %}
    {% endif %}
    {% call statement('main') %}
        create or replace view {{ this }} as
        {{ contracted }}
    {% endcall %}
    {% do return(finish('view')) %}
{% endmacro %}
