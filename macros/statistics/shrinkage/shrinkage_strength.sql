{#-
    Number of trials that the prior rate counts as: few if models differ much, many if they hardly differ. It is 20
    if the variance between models is unknown, and 2 if there is only one model.

    Formula: m (1 - m)/variance - 1, clipped to 1..10,000
    models            number of models with trials at the task type
    pooled_rate       m, all successes divided by all trials of the task type
    between_variance  variance, from the macro of that name
    Example: shrinkage_strength('3', '0.7', '0.02') is 9.5
-#}
{% macro shrinkage_strength(models, pooled_rate, between_variance) -%}
    {%- set m, variance = double(pooled_rate), double(between_variance) -%}
    (case
        when {{ models }} = 1 then 2e0
        when {{ variance }} is null then 20e0
        when {{ variance }} <= 0 then 1e4
        else {{ at_most(at_least(m ~ ' * (1 - ' ~ m ~ ') / ' ~ variance ~ ' - 1', '1e0'), '1e4') }}
    end)
{%- endmacro %}
