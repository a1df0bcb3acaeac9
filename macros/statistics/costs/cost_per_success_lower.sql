{#- On the log scale, so that both ends of the interval stay above zero. -#}
{% macro cost_per_success_lower(cost_per_success, error) -%}
    ({{ double(cost_per_success) }} * exp(-{{ double(var('z')) }} * {{ ratio(error, cost_per_success) }}))
{%- endmacro %}
