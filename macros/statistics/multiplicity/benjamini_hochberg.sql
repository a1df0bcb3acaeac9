{#- Capped before the minimum: the result is the same, and the expression half as long. -#}
{% macro benjamini_hochberg(p_value, rank, comparisons, partition_by) -%}
    (case
        when {{ p_value }} is not null
            then min({{ at_most(ratio(double(p_value) ~ ' * (' ~ comparisons ~ ')', rank), '1e0') }}) over (
                partition by {{ partition_by }}
                order by {{ rank }} desc
                rows between unbounded preceding and current row
            )
    end)
{%- endmacro %}
