{#-
    Half width of the interval of the cost per success R on the log scale; null for fewer than two successes, for one
    trial, and if R is 0. With few successes, the t quantile is larger than the normal one. At most 600, so that no
    engine overflows.

    Formula: min(t(s - 1) error/R, 600)
    cost_per_success  R, from the macro of that name
    error             its standard error
    successes         s, successes among the priced trials
    Example: cost_per_success_spread('0.271428571429', '0.092651962394', '7') is 0.8352517335229038
-#}
{% macro cost_per_success_spread(cost_per_success, error, successes) -%}
    {{ at_most(t_quantile('(' ~ successes ~ ' - 1)') ~ ' * ' ~ ratio(error, cost_per_success), '600e0') }}
{%- endmacro %}
