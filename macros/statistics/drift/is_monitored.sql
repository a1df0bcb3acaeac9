{#-
    1 if the baseline can fall by cusum_drop and still be at least cusum_lowest_target, else 0. A rate that can
    hardly fall any further is not monitored.

    Formula: baseline - cusum_drop >= cusum_lowest_target
    baseline  expected success rate, from cusum_baseline
    Example: is_monitored('0.8') is 1
-#}
{% macro is_monitored(baseline) -%}
    (case
        when {{ double(baseline) }} - {{ double(var('cusum_drop')) }} >= {{ double(var('cusum_lowest_target')) }} then 1
        else 0
    end)
{%- endmacro %}
