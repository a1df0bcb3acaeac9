{#- A rate that can hardly fall further is not watched for falling. -#}
{% macro is_monitored(baseline) -%}
    (case
        when {{ double(baseline) }} - {{ double(var('cusum_drop')) }} >= {{ double(var('cusum_lowest_target')) }} then 1
        else 0
    end)
{%- endmacro %}
