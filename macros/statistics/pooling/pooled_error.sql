{#- Of the weighted mean log odds. -#}
{% macro pooled_error(weights) -%}
    (1 / sqrt(nullif({{ double(weights) }}, 0)))
{%- endmacro %}
