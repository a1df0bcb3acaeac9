{#- On the log scale, so that the interval of a cost stays above zero. -#}
{% macro cost_per_success_lower(cost_per_success, error) -%}
    ({{ double(cost_per_success) }} * exp(-{{ double(z()) }} * {{ ratio(error, cost_per_success) }}))
{%- endmacro %}
