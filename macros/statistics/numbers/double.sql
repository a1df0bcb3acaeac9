{#- Every engine has a double; they do not agree on its name, and literals such as 0.05 are decimals on three of four. -#}
{% macro double(expression) -%}
    {{ return(adapter.dispatch('double')(expression)) }}
{%- endmacro %}

{% macro default__double(expression) -%}
    cast({{ expression }} as double precision)
{%- endmacro %}

{% macro spark__double(expression) -%}
    cast({{ expression }} as double)
{%- endmacro %}
