{# The engines' names of two types, for casts. #}


{% macro text_type() -%}
    {{ return(adapter.dispatch('text_type')()) }}
{%- endmacro %}

{% macro default__text_type() -%}
    text
{%- endmacro %}

{% macro spark__text_type() -%}
    string
{%- endmacro %}


{# The 64-bit floating point type: dbt.type_float() is 32 bits wide on some engines. #}
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
