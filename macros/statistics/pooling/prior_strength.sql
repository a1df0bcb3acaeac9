{#-
    Number of local trials that the pooled rate counts as when it is the prior, 1 to the var max_prior_strength;
    null if the pooled rate is 0 or 1. At most 20 by default, because the tasks of other projects differ from one's
    own.

    Formula: 1/((t + e^2) m (1 - m)) - 1, clipped
    pooled_rate               m, success rate over all projects
    between_project_variance  t, of the log odds
    pooled_error              e, standard error of the pooled log odds
    Example: prior_strength('0.8', '0.5', '0.1') is 11.254901960784313
-#}
{% macro prior_strength(pooled_rate, between_project_variance, pooled_error) -%}
    {%- set m, error = double(pooled_rate), double(pooled_error) -%}
    {%- set variance = '((' ~ double(between_project_variance) ~ ' + ' ~ error ~ ' * ' ~ error ~ ') * ' ~ m ~ ' * (1 - ' ~ m ~ '))' -%}
    {{ at_most(at_least('1 / nullif(' ~ variance ~ ', 0) - 1', '1e0'), double(var('max_prior_strength'))) }}
{%- endmacro %}
