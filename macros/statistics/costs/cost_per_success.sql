{#- A ratio of sums, never a mean of ratios: a failure costs money and yields nothing. -#}
{% macro cost_per_success(costs, successes) -%}
    {{ ratio(costs, successes) }}
{%- endmacro %}
