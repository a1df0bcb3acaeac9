{#- The share of the spread that chance does not explain; one project has no spread but rounding. -#}
{% macro i_squared(projects, heterogeneity) -%}
    (case
        when {{ projects }} > 1 and {{ heterogeneity }} > {{ projects }} - 1 then 1 - ({{ projects }} - 1) / {{ double(heterogeneity) }}
        when {{ heterogeneity }} is not null then 0e0
    end)
{%- endmacro %}
