{#-
    Difference of the success rates of two arms in one stratum; 0 if an arm has no trial in it, because its weight is
    then 0 too.

    Formula: d/b - c/a
    successes        c, successful trials of one arm
    trials           a, its trials
    other_successes  d, successful trials of the other arm
    other_trials     b, its trials
    Example: stratum_difference('8', '10', '27', '30') is 0.1
-#}
{% macro stratum_difference(successes, trials, other_successes, other_trials) -%}
    coalesce({{ ratio(other_successes, other_trials) }} - {{ ratio(successes, trials) }}, 0e0)
{%- endmacro %}
