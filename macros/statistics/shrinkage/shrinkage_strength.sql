{#- Few trials if models differ much, many if they hardly differ. -#}
{% macro shrinkage_strength(models, pooled_rate, between_model_variance) -%}
    {%- set m, variance = double(pooled_rate), double(between_model_variance) -%}
    (case
        when {{ models }} = 1 then 2e0
        when {{ variance }} is null then 20e0
        when {{ variance }} <= 0 then 1e4
        else {{ at_most(at_least(m ~ ' * (1 - ' ~ m ~ ') / ' ~ variance ~ ' - 1', '1e0'), '1e4') }}
    end)
{%- endmacro %}
