{#-
    1 if e-BH selects the row at the var alpha, else 0; a window expression. It keeps the false-discovery rate for
    any dependence between the e-values. Here they all share one incumbent.

    Formula: rank <= the last rank with e rank >= m / alpha
    e_value       e, a column of e-values
    rank          row number within the partition, the largest e-value first
    comparisons   m, number of e-values in the partition
    partition_by  column that the comparisons of one family share, such as task_type
    Example: is_selected_by_e_bh('100', '1', '4', '1') is 1
    Source: Wang and Ramdas, arXiv 2009.02824.
-#}
{% macro is_selected_by_e_bh(e_value, rank, comparisons, partition_by) -%}
    (case
        when {{ rank }} <= max(
            case when {{ double(e_value) }} * ({{ rank }}) * {{ double(var('alpha')) }} >= {{ comparisons }} then {{ rank }} end
        ) over (partition by {{ partition_by }})
            then 1
        else 0
    end)
{%- endmacro %}
