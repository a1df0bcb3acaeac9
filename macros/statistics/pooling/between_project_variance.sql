{#-
    Variance of the projects' true log odds, 0 or more; 0 for one project.

    Formula: max(Q - (m - 1), 0) / (weights - squared_weights/weights)
    projects         m, number of pooled projects
    weights          sum of 1/variance
    squared_weights  sum of 1/variance^2
    heterogeneity    Q, sum of (log_odds - weighted mean)^2 / variance
    Example: between_project_variance('3', '30', '400', '7') is 0.3
    Source: DerSimonian and Laird (1986).
-#}
{% macro between_project_variance(projects, weights, squared_weights, heterogeneity) -%}
    {%- set excess = '(' ~ double(heterogeneity) ~ ' - (' ~ double(projects) ~ ' - 1))' -%}
    (case
        when {{ projects }} = 1 then 0e0
        else {{ at_least(excess, '0e0') }} / nullif({{ double(weights) }} - {{ ratio(squared_weights, weights) }}, 0)
    end)
{%- endmacro %}
