{#- Capped before the maximum, where it says the same in half the words. -#}
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
