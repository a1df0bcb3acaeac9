{#- The share of the spread that chance does not explain. -#}
{% macro i_squared(projects, heterogeneity) -%}
    (case
        when {{ heterogeneity }} > {{ projects }} - 1 then 1 - ({{ projects }} - 1) / {{ double(heterogeneity) }}
        when {{ heterogeneity }} <= {{ projects }} - 1 then 0e0
    end)
{%- endmacro %}
