{#- max(0, S + w) day by day is the running sum's height above its lowest point so far: no recursion. -#}
{% macro cusum(running_sum, running_minimum) -%}
    ({{ double(running_sum) }} - {{ at_most(double(running_minimum), '0e0') }})
{%- endmacro %}
