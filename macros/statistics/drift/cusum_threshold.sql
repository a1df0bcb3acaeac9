{#- The logarithm of how many chances of a false alarm the horizon holds. -#}
{% macro cusum_threshold(monitored_cells) -%}
    (case when {{ monitored_cells }} > 0 then ln({{ var('cusum_horizon_days') }} * {{ double(monitored_cells) }}) end)
{%- endmacro %}
