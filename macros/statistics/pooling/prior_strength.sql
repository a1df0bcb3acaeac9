{#-
    Number of local trials that the pooled rate counts as when it is the prior, 1 to the var max_prior_strength. At
    most 20 by default, because the tasks of other projects differ from one's own.

    Formula: m (1 - m)/(t + e^2) - 1, clipped
    pooled_rate               m, success rate over all projects; not 0 or 1, see inner_rate
    between_project_variance  t, variance of the projects' true rates
    pooled_error              e, standard error of the pooled rate
    Example: prior_strength('0.8', '0.01', '0.05') is 11.8
-#}
{% macro prior_strength(pooled_rate, between_project_variance, pooled_error) -%}
    {%- set m, error = double(pooled_rate), double(pooled_error) -%}
    {%- set variance = '(' ~ double(between_project_variance) ~ ' + ' ~ error ~ ' * ' ~ error ~ ')' -%}
    {{ at_most(at_least(ratio(m ~ ' * (1 - ' ~ m ~ ')', variance) ~ ' - 1', '1e0'), double(var('max_prior_strength'))) }}
{%- endmacro %}
