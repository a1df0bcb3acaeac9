{% materialization table, adapter='postgres' %}
    {{ return(build_table()) }}
{% endmaterialization %}

{% materialization view, adapter='postgres' %}
    {{ return(build_view()) }}
{% endmaterialization %}

{% materialization incremental, adapter='postgres' %}
    {{ return(build_incremental()) }}
{% endmaterialization %}

{% materialization additive, adapter='postgres' %}
    {{ return(build_additive()) }}
{% endmaterialization %}


{% macro postgres__hold_for_build(adds) %}
    {% call statement() %}{{ 'lock table ' ~ this ~ ' in exclusive mode' if adds else 'select 1' }}{% endcall %}
{% endmacro %}


{# Views depend on the table itself: dropping it would drop them too. #}
{% macro postgres__refills_tables() %}
    {% do return(true) %}
{% endmacro %}


{# `create or replace view` only allows new columns at the end. #}
{% macro postgres__replaces_view(existing, sql) %}
    {% set columns = [] %}
    {% for column in columns_of_query(sql) %}
        {% do columns.append(column.name ~ ' ' ~ column.data_type) %}
    {% endfor %}
    {% do return(columns == column_types(existing)) %}
{% endmacro %}
