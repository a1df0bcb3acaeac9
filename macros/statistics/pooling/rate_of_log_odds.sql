{#-
    The rate, 0..1, with these log odds: the logistic function, with a bounded exponent like every exponential here.

    Formula: 1/(1 + exp(-log_odds))
    Example: rate_of_log_odds('1.684642365098') is 0.8435182786518723
-#}
{% macro rate_of_log_odds(log_odds) -%}
    (1 / (1 + {{ bounded_exp('-' ~ double(log_odds)) }}))
{%- endmacro %}
