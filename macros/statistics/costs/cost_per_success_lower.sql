{#-
    Lower end of the approximate interval of the cost per success, in the unit of the costs, at the level 1 - alpha; null
    without a spread. It is computed on the log scale, so that both ends stay above zero. It is never above the mean
    cost divided by the upper end of the success rate, because equal costs do not make the success rate certain.

    Formula: R min(exp(-spread), (s/n) / wilson_upper(s, n))
    cost_per_success  R, from the macro of that name
    spread            from cost_per_success_spread
    successes         s, successes among the priced trials
    trials            n, trials with a known cost
    Example: cost_per_success_lower('2', '0.5', '7', '10') is 1.2130613194252668
-#}
{% macro cost_per_success_lower(cost_per_success, spread, successes, trials) -%}
    ({{ double(cost_per_success) }} * {{ at_most(
        'exp(-' ~ double(spread) ~ ')',
        ratio(ratio(successes, trials), wilson_upper(successes, trials))
    ) }})
{%- endmacro %}
