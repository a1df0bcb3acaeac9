{#- Without its interval a comparison is undecided; that is no error. -#}
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
