{#-
    Lower end of the interval of the cost per success, in the unit of the costs, at the level 1 - alpha; null if the
    cost per success is 0 or null. It is computed on the log scale, so that both ends stay above zero.

    Formula: R exp(-z error/R)
    cost_per_success  R, from the macro of that name
    error             its standard error
    Example: cost_per_success_lower('2', '0.5') is 1.2252638204291784
-#}
{% macro cost_per_success_lower(cost_per_success, error) -%}
    ({{ double(cost_per_success) }} * exp(-{{ double(z()) }} * {{ ratio(error, cost_per_success) }}))
{%- endmacro %}
