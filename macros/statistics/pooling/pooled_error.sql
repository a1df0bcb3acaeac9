{#- Standard error of the weighted mean of the log odds. -#}
{% macro pooled_error(weights) -%}
    (1 / sqrt(nullif({{ double(weights) }}, 0)))
{%- endmacro %}
