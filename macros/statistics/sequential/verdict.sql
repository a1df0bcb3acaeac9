{#-
    Verdict from the interval of a difference.

    Formula: too_few_trials if an arm has fewer than min_trials_per_arm, no_common_ground if no stratum is shared,
        too_few_trials if an arm has fewer than min_trials_per_arm in shared strata or these are fewer than
        min_strata + min_strata_per_log_pair ln(candidate_pairs), else challenger_better if lower > 0, incumbent_better if upper < 0, else no_verdict_yet. gbstats
        mode has no strata.
    shared_incumbent_trials   the incumbent's trials in strata that both arms share
    shared_challenger_trials  the challenger's trials in strata that both arms share
    strata                    number of strata that both arms share
    incumbent_trials          all trials of the incumbent
    challenger_trials         all trials of the challenger
    difference_lower          lower end of the interval of challenger minus incumbent
    difference_upper          upper end of that interval
    candidate_pairs           number of pairs among which the data chose this one: small error rates need more strata,
                              because the robust variance of few strata is uncertain
    Example: verdict('50', '50', '10', '60', '60', '0.01', '0.2') is challenger_better
-#}
{% macro verdict(shared_incumbent_trials, shared_challenger_trials, strata, incumbent_trials, challenger_trials, difference_lower, difference_upper, candidate_pairs='1') -%}
    {%- set least = var('min_trials_per_arm') -%}
    (case
        when {{ incumbent_trials }} < {{ least }} or {{ challenger_trials }} < {{ least }} then 'too_few_trials'
        {%- if var('sequential_mode') == 'default' %}
        when {{ strata }} = 0 then 'no_common_ground'
        when {{ strata }} < {{ var('min_strata') }} + {{ double(var('min_strata_per_log_pair')) }} * ln({{ double(candidate_pairs) }})
            then 'too_few_trials'
        {%- endif %}
        when {{ shared_incumbent_trials }} < {{ least }} or {{ shared_challenger_trials }} < {{ least }}
            then 'too_few_trials'
        when {{ difference_lower }} > 0 then 'challenger_better'
        when {{ difference_upper }} < 0 then 'incumbent_better'
        else 'no_verdict_yet'
    end)
{%- endmacro %}
