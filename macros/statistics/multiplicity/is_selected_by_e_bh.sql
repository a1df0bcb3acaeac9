{#- e-BH keeps the false-discovery rate for any dependence between the e-values. Here they all share one incumbent. -#}
{% macro is_selected_by_e_bh(e_value, rank, comparisons, partition_by) -%}
    (case
        when {{ rank }} <= max(
            case when {{ double(e_value) }} * ({{ rank }}) * {{ double(var('alpha')) }} >= {{ comparisons }} then {{ rank }} end
        ) over (partition by {{ partition_by }})
            then 1
        else 0
    end)
{%- endmacro %}
