{#-
    Variance of the true rates of models, or of projects, around the pooled rate, by the method of moments. Negative if
    chance explains more than all of it; null if there are too few trials to tell their differences from chance, as
    with one model.

    Formula: (spread - (K - 1) m (1 - m)) / (trials - squared_trials/trials - (K - 1))
    groups          K, number of models (or projects) with trials
    trials          sum of their trials
    squared_trials  sum of the squares of their trials
    pooled_rate     m, all successes divided by all trials
    spread          sum of trials * (success_rate - pooled_rate)^2
    Example: between_variance('3', '300', '30000', '0.7', '6') is 0.028181818181818183
-#}
{% macro between_variance(groups, trials, squared_trials, pooled_rate, spread) -%}
    {%- set m, others = double(pooled_rate), '(' ~ double(groups) ~ ' - 1)' -%}
    {%- set scale = '(' ~ double(trials) ~ ' - ' ~ ratio(squared_trials, trials) ~ ' - ' ~ others ~ ')' -%}
    (case
        when {{ scale }} > 0
            then ({{ double(spread) }} - {{ others }} * {{ m }} * (1 - {{ m }})) / {{ scale }}
    end)
{%- endmacro %}
