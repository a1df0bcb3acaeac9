{#- Integers divide to integers on half the engines, and by zero to an error on half of them. -#}
{% macro ratio(numerator, denominator) -%}
    ({{ double(numerator) }} / nullif({{ double(denominator) }}, 0))
{%- endmacro %}
