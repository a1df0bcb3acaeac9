{#-
    The CUSUM statistic, 0 or more. max(0, S + w) day by day equals the running sum minus its lowest value so far,
    so no recursion is needed.

    Formula: running_sum - min(running_minimum, 0)
    running_sum      sum of the increments up to and including the day
    running_minimum  lowest running sum up to and including the day
    Example: cusum('-1.5', '-2') is 0.5
    Source: Page (1954).
-#}
{% macro cusum(running_sum, running_minimum) -%}
    ({{ double(running_sum) }} - {{ at_most(double(running_minimum), '0e0') }})
{%- endmacro %}
