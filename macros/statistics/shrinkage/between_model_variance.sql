{#- Null if there are too few trials to tell the differences between models from chance. -#}
{% macro between_model_variance(models, trials, squared_trials, pooled_rate, spread) -%}
    {%- set m, others = double(pooled_rate), '(' ~ double(models) ~ ' - 1)' -%}
    {%- set scale = '(' ~ double(trials) ~ ' - ' ~ ratio(squared_trials, trials) ~ ' - ' ~ others ~ ')' -%}
    (case
        when {{ scale }} > 0
            then ({{ double(spread) }} - {{ others }} * {{ m }} * (1 - {{ m }})) / {{ scale }}
    end)
{%- endmacro %}
