{#- A ratio of sums, not a mean of ratios: a failure costs money and yields no success. -#}
{% macro cost_per_success(costs, successes) -%}
    {{ ratio(costs, successes) }}
{%- endmacro %}
