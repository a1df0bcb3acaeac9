{#- The logistic function, with a bounded exponent like every exponential here. -#}
{% macro rate_of_log_odds(log_odds) -%}
    (1 / (1 + {{ bounded_exp('-' ~ double(log_odds)) }}))
{%- endmacro %}
