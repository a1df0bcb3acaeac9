{#-
    p value adjusted for the false-discovery rate, a window expression. Null p values stay null and count in neither
    rank nor comparisons. It is capped before the minimum: the result is the same, and the expression half as long.

    Formula: the least min(p m / rank, 1) of this rank and all higher ones
    p_value       a column of p values
    rank          row number within the partition, the smallest p value first
    comparisons   m, number of p values in the partition
    partition_by  column that the comparisons of one family share, such as task_type
    Example: benjamini_hochberg('0.01', '2', '4', '1') is 0.02
    Source: Benjamini and Hochberg (1995).
-#}
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
