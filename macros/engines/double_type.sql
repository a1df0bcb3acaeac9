{# dbt.type_float() is 32 bits wide on some engines. #}
{% macro double_type() -%}
    {{ return(adapter.dispatch('double_type')()) }}
{%- endmacro %}

{% macro default__double_type() -%}
    double precision
{%- endmacro %}

{% macro sqlite__double_type() -%}
    real
{%- endmacro %}

{% macro spark__double_type() -%}
    double
{%- endmacro %}
