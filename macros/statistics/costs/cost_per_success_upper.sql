{#- On the log scale, like the lower end. -#}
{% macro cost_per_success_upper(cost_per_success, error) -%}
    ({{ double(cost_per_success) }} * exp({{ double(var('z')) }} * {{ ratio(error, cost_per_success) }}))
{%- endmacro %}
