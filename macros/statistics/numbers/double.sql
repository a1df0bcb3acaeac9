{#-
    The expression as a 64-bit float. Literals such as 0.05 are decimals on three of the four engines, and counts
    are integers on all of them.

    Formula: cast(expression as double)
    Example: double('1') is 1.0
-#}
{% macro double(expression) -%}
    cast({{ expression }} as {{ double_type() }})
{%- endmacro %}
