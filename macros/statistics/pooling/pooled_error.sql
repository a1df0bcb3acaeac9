{#-
    Standard error of the pooled log odds, a weighted mean; null without weights.

    Formula: 1 / sqrt(weights)
    weights  sum of 1/(variance + between-project variance)
    Example: pooled_error('25') is 0.2
-#}
{% macro pooled_error(weights) -%}
    (1 / sqrt(nullif({{ double(weights) }}, 0)))
{%- endmacro %}
