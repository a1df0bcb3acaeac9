{#-
    Share of the differences between projects that chance does not explain, 0..1; 0 if they do not differ. Rounding
    can give a single project a small spread, which must not count.

    Formula: max(1 - (m - 1)/Q, 0)
    projects       m, number of pooled projects
    heterogeneity  Q, as for between_project_variance
    Example: i_squared('3', '7') is 0.7142857142857143
    Source: Higgins and Thompson (2002).
-#}
{% macro i_squared(projects, heterogeneity) -%}
    (case
        when {{ projects }} > 1 and {{ heterogeneity }} > {{ projects }} - 1 then 1 - ({{ projects }} - 1) / {{ double(heterogeneity) }}
        when {{ heterogeneity }} is not null then 0e0
    end)
{%- endmacro %}
