{#-
    Verdict from the interval of a difference.

    Formula: too_few_trials if an arm has fewer than min_trials_per_arm, else challenger_better if lower > 0,
        incumbent_better if upper < 0, else no_verdict_yet
    incumbent_trials   the incumbent's trials
    challenger_trials  the challenger's trials
    difference_lower   lower end of the interval of challenger minus incumbent
    difference_upper   upper end of that interval
    Example: verdict('50', '50', '0.01', '0.2') is challenger_better
-#}
{% macro verdict(incumbent_trials, challenger_trials, difference_lower, difference_upper) -%}
    (case
        when {{ incumbent_trials }} >= {{ var('min_trials_per_arm') }} and {{ challenger_trials }} >= {{ var('min_trials_per_arm') }}
            then case
                when {{ difference_lower }} > 0 then 'challenger_better'
                when {{ difference_upper }} < 0 then 'incumbent_better'
                else 'no_verdict_yet'
            end
        else 'too_few_trials'
    end)
{%- endmacro %}
