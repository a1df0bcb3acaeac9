{#- Rounding can give a single project a small spread, which must not count. -#}
{% macro i_squared(projects, heterogeneity) -%}
    (case
        when {{ projects }} > 1 and {{ heterogeneity }} > {{ projects }} - 1 then 1 - ({{ projects }} - 1) / {{ double(heterogeneity) }}
        when {{ heterogeneity }} is not null then 0e0
    end)
{%- endmacro %}
