{#- The method of DerSimonian and Laird. A single project has no variance between projects. -#}
{% macro between_project_variance(projects, weights, squared_weights, heterogeneity) -%}
    {%- set excess = '(' ~ double(heterogeneity) ~ ' - (' ~ double(projects) ~ ' - 1))' -%}
    (case
        when {{ projects }} = 1 then 0e0
        else {{ at_least(excess, '0e0') }} / nullif({{ double(weights) }} - {{ ratio(squared_weights, weights) }}, 0)
    end)
{%- endmacro %}
