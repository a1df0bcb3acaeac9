{#- Squared, because the squares of strata add up; sequential_half_width takes the square root once. -#}
{% macro sequential_squared_error(incumbent_successes, incumbent_trials, challenger_successes, challenger_trials) -%}
    (
        {{ sequential_variance(incumbent_successes, incumbent_trials) }} / nullif({{ double(incumbent_trials) }}, 0)
        + {{ sequential_variance(challenger_successes, challenger_trials) }} / nullif({{ double(challenger_trials) }}, 0)
    )
{%- endmacro %}
