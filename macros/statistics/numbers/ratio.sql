{#- On half of the engines, integers divide to integers and division by zero is an error. -#}
{% macro ratio(numerator, denominator) -%}
    ({{ double(numerator) }} / nullif({{ double(denominator) }}, 0))
{%- endmacro %}
