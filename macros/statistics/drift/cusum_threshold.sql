{#-
    Alarm threshold of the CUSUM: the logarithm of the number of chances for a false alarm within the horizon. Null
    if no cell is monitored.

    Formula: ln(cusum_horizon_days * cells)
    monitored_cells  number of cells monitored at the same time
    Example: cusum_threshold('10') is 8.202482446576537
-#}
{% macro cusum_threshold(monitored_cells) -%}
    (case when {{ monitored_cells }} > 0 then ln({{ var('cusum_horizon_days') }} * {{ double(monitored_cells) }}) end)
{%- endmacro %}
