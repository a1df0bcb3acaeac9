{#-
    Standard error of the pooled rate, a weighted mean; null without weights. It is at least the error that the
    projects' distances from the mean show.

    Formula: sqrt(max(1/weights, K/(K - 1) squared_distances/weights^2)), and sqrt(1/weights) if K is 1
    projects           K, number of pooled projects
    weights            sum of the weights w = 1/(project variance + between-project variance)
    squared_distances  sum of w^2 (rate - pooled rate)^2
    Example: pooled_error('3', '25', '50') is 0.34641016151377546
    Source: Cochran (1977), 6.8 (variance of a ratio).
-#}
{% macro pooled_error(projects, weights, squared_distances) -%}
    {%- set k, w = double(projects), double(weights) -%}
    {%- set observed = ratio(k ~ ' * ' ~ squared_distances, '(' ~ k ~ ' - 1) * ' ~ w ~ ' * ' ~ w) -%}
    sqrt(case when {{ observed }} * {{ w }} > 1 then {{ observed }} else {{ ratio('1', w) }} end)
{%- endmacro %}
