{#- Literals such as 0.05 are decimals on three engines of four, and counts are integers on all. -#}
{% macro double(expression) -%}
    cast({{ expression }} as {{ double_type() }})
{%- endmacro %}
