{#-
    Squared standard error of the difference of two arms' success rates; null if an arm has no trials. The squares
    of strata add up: sum(trials^2 * squared_error) / sum(trials)^2. sequential_half_width takes the square root
    once.

    Formula: v1/n1 + v2/n2, each v from sequential_variance
    incumbent_successes   the incumbent's successes
    incumbent_trials      n1, the incumbent's trials
    challenger_successes  the challenger's successes
    challenger_trials     n2, the challenger's trials
    Example: sequential_squared_error('300', '400', '170', '200') is 0.0011331128637719024
-#}
{% macro sequential_squared_error(incumbent_successes, incumbent_trials, challenger_successes, challenger_trials) -%}
    (
        {{ sequential_variance(incumbent_successes, incumbent_trials) }} / nullif({{ double(incumbent_trials) }}, 0)
        + {{ sequential_variance(challenger_successes, challenger_trials) }} / nullif({{ double(challenger_trials) }}, 0)
    )
{%- endmacro %}
