{#- max(0, S + w) day by day equals the running sum minus its lowest value so far, so no recursion is needed. -#}
{% macro cusum(running_sum, running_minimum) -%}
    ({{ double(running_sum) }} - {{ at_most(double(running_minimum), '0e0') }})
{%- endmacro %}
