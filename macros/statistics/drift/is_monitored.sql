{#- A rate that can hardly fall any further is not monitored. -#}
{% macro is_monitored(baseline) -%}
    (case
        when {{ double(baseline) }} - {{ double(var('cusum_drop')) }} >= {{ double(var('cusum_lowest_target')) }} then 1
        else 0
    end)
{%- endmacro %}
