{#-
    Variance of the weighted difference of one stratum, if both arms have the same rate there (hypergeometric); 0 if
    an arm has no trial in it.

    Formula: a b k (n - k) / (n^2 (n - 1)), with k successes in n = a + b trials of both arms
    successes        successful trials of one arm
    trials           a, its trials
    other_successes  successful trials of the other arm
    other_trials     b, its trials
    Example: stratum_variance('8', '10', '27', '30') is 0.8413461538461539
    Source: Mantel and Haenszel (1959).
-#}
{% macro stratum_variance(successes, trials, other_successes, other_trials) -%}
    {%- set k, n = '(' ~ double(successes) ~ ' + ' ~ other_successes ~ ')', '(' ~ double(trials) ~ ' + ' ~ other_trials ~ ')' -%}
    coalesce(
        {{ stratum_weight(trials, other_trials) }} * {{ k }} * ({{ n }} - {{ k }}) / nullif({{ n }} * ({{ n }} - 1), 0), 0e0
    )
{%- endmacro %}
