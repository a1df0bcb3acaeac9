{#-
    Standard error of the cost per success R, in the unit of the costs; null for one trial, or without a success. By
    the delta method with sample variances. The residuals cost - R * success sum to zero, so only the sum of their
    squares is needed.

    Formula: sqrt(n sum((cost - R success)^2) / ((n - 1) s^2)), where the sum is squared_costs - 2 R success_costs +
        R^2 s
    trials         n, trials with a known cost
    successes      s, successes among them
    costs          sum of their costs
    squared_costs  sum of their squared costs, a double
    success_costs  sum of the costs of the successful ones, a double
    Example: cost_per_success_error('5', '4', '10', '24', '9') is 0.5590169943749475
-#}
{% macro cost_per_success_error(trials, successes, costs, squared_costs, success_costs) -%}
    {%- set n, s, r = double(trials), double(successes), cost_per_success(costs, successes) -%}
    {%- set squared_residuals = '(' ~ double(squared_costs) ~ ' - 2 * ' ~ r ~ ' * ' ~ double(success_costs) ~ ' + ' ~ r ~ ' * ' ~ r ~ ' * ' ~ s ~ ')' -%}
    sqrt({{ n }} * {{ at_least(squared_residuals, '0e0') }} / nullif(({{ n }} - 1) * {{ s }} * {{ s }}, 0))
{%- endmacro %}
