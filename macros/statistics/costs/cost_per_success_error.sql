{#- The delta method. The residuals cost - R * success sum to zero, so only the sum of their squares is needed. -#}
{% macro cost_per_success_error(trials, successes, costs, squared_costs, success_costs) -%}
    {%- set n, s, r = double(trials), double(successes), cost_per_success(costs, successes) -%}
    {%- set squared_residuals = '(' ~ double(squared_costs) ~ ' - 2 * ' ~ r ~ ' * ' ~ double(success_costs) ~ ' + ' ~ r ~ ' * ' ~ r ~ ' * ' ~ s ~ ')' -%}
    sqrt({{ n }} * {{ at_least(squared_residuals, '0e0') }} / nullif(({{ n }} - 1) * {{ s }} * {{ s }}, 0))
{%- endmacro %}
