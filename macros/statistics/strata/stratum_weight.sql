{#-
    Weight of one stratum in a difference of two rates (Mantel and Haenszel); 0 if an arm has no trial in it.

    Formula: a b / (a + b)
    trials        a, trials of one arm
    other_trials  b, trials of the other arm
    Example: stratum_weight('10', '30') is 7.5
    Source: Mantel and Haenszel (1959).
-#}
{% macro stratum_weight(trials, other_trials) -%}
    coalesce({{ ratio(double(trials) ~ ' * ' ~ other_trials, trials ~ ' + ' ~ other_trials) }}, 0e0)
{%- endmacro %}
