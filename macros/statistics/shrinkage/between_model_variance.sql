{#-
    Variance of the models' true rates around the pooled rate, by the method of moments. Negative if chance explains
    more than all of it; null if there are too few trials to tell the differences between models from chance, as
    with one model.

    Formula: (spread - (K - 1) m (1 - m)) / (trials - squared_trials/trials - (K - 1))
    models          K, number of models with trials at the task type
    trials          sum of the models' trials
    squared_trials  sum of the squares of the models' trials
    pooled_rate     m, all successes divided by all trials of the task type
    spread          sum of trials * (success_rate - pooled_rate)^2
    Example: between_model_variance('3', '300', '30000', '0.7', '6') is 0.028181818181818183
-#}
{% macro between_model_variance(models, trials, squared_trials, pooled_rate, spread) -%}
    {%- set m, others = double(pooled_rate), '(' ~ double(models) ~ ' - 1)' -%}
    {%- set scale = '(' ~ double(trials) ~ ' - ' ~ ratio(squared_trials, trials) ~ ' - ' ~ others ~ ')' -%}
    (case
        when {{ scale }} > 0
            then ({{ double(spread) }} - {{ others }} * {{ m }} * (1 - {{ m }})) / {{ scale }}
    end)
{%- endmacro %}
