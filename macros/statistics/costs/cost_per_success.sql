{#-
    Cost of one success, in the unit of the costs; null if no trial succeeded. It is a ratio of sums, not a mean of
    ratios: a failure costs money and yields no success.

    Formula: R = costs / successes
    costs      sum of the costs of the priced trials
    successes  successes among the priced trials
    Example: cost_per_success('12', '4') is 3.0
-#}
{% macro cost_per_success(costs, successes) -%}
    {{ ratio(costs, successes) }}
{%- endmacro %}
