{#- Capped before the maximum: the result is the same, and the expression half as long. -#}
{% macro holm(p_value, rank, comparisons, partition_by) -%}
    (case
        when {{ p_value }} is not null
            then max({{ at_most(double(p_value) ~ ' * ((' ~ comparisons ~ ') - (' ~ rank ~ ') + 1)', '1e0') }}) over (
                partition by {{ partition_by }}
                order by {{ rank }}
                rows between unbounded preceding and current row
            )
    end)
{%- endmacro %}
