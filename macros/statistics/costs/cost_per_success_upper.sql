{#-
    Upper end of the approximate interval of the cost per success, in the unit of the costs, at the level 1 - alpha; null
    without a spread. It is never below the mean cost divided by the lower end of the success rate.

    Formula: R max(exp(spread), (s/n) / wilson_lower(s, n))
    cost_per_success  R, from the macro of that name
    spread            from cost_per_success_spread
    successes         s, successes among the priced trials
    trials            n, trials with a known cost
    Example: cost_per_success_upper('0.05', '0', '2', '2') is 0.1460364705173532
-#}
{% macro cost_per_success_upper(cost_per_success, spread, successes, trials) -%}
    ({{ double(cost_per_success) }} * {{ at_least(
        'exp(' ~ double(spread) ~ ')',
        ratio(ratio(successes, trials), wilson_lower(successes, trials))
    ) }})
{%- endmacro %}
