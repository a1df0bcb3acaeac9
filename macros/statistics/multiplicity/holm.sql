{#-
    p value adjusted for the family-wise error rate, a window expression. Null p values stay null and count in
    neither rank nor comparisons. It is capped before the maximum: the result is the same, and the expression half
    as long.

    Formula: the greatest min(p (m - rank + 1), 1) of this rank and all lower ones
    p_value       a column of p values
    rank          row number within the partition, the smallest p value first
    comparisons   m, number of p values in the partition
    partition_by  column that the comparisons of one family share, such as task_type
    Example: holm('0.01', '2', '4', '1') is 0.03
    Source: Holm (1979).
-#}
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
