{#- The logarithm of the number of chances for a false alarm within the horizon. -#}
{% macro cusum_threshold(monitored_cells) -%}
    (case when {{ monitored_cells }} > 0 then ln({{ var('cusum_horizon_days') }} * {{ double(monitored_cells) }}) end)
{%- endmacro %}
