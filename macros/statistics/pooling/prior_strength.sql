{#- At most 20 trials by default, because the tasks of other projects differ from one's own. -#}
{% macro prior_strength(pooled_rate, between_project_variance, pooled_error) -%}
    {%- set m, error = double(pooled_rate), double(pooled_error) -%}
    {%- set variance = '((' ~ double(between_project_variance) ~ ' + ' ~ error ~ ' * ' ~ error ~ ') * ' ~ m ~ ' * (1 - ' ~ m ~ '))' -%}
    {{ at_most(at_least('1 / nullif(' ~ variance ~ ', 0) - 1', '1e0'), double(var('max_prior_strength'))) }}
{%- endmacro %}
