{#-
    Upper end of the interval of the cost per success, in the unit of the costs, at the level 1 - alpha; null if the
    cost per success is 0 or null. It is computed on the log scale, like the lower end.

    Formula: R exp(z error/R)
    cost_per_success  R, from the macro of that name
    error             its standard error
    Example: cost_per_success_upper('2', '0.5') is 3.2646030457333692
-#}
{% macro cost_per_success_upper(cost_per_success, error) -%}
    ({{ double(cost_per_success) }} * exp({{ double(z()) }} * {{ ratio(error, cost_per_success) }}))
{%- endmacro %}
