{#-
    One number divided by another as doubles; null if the second is 0 or null. On half of the engines, integers
    divide to integers and division by zero is an error.

    Formula: numerator / denominator
    Example: ratio('7', '2') is 3.5
-#}
{% macro ratio(numerator, denominator) -%}
    ({{ double(numerator) }} / nullif({{ double(denominator) }}, 0))
{%- endmacro %}
