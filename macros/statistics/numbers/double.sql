{#- Literals such as 0.05 are decimals on three of the four engines, and counts are integers on all of them. -#}
{% macro double(expression) -%}
    cast({{ expression }} as {{ double_type() }})
{%- endmacro %}
