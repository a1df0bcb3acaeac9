{#- Midpoints never reach the ends, where a logarithm has no value. -#}
{% macro grid_point(lowest, highest, grid_index) -%}
    (
        {{ double(lowest) }}
        + ({{ double(highest) }} - {{ double(lowest) }}) * ({{ double(grid_index) }} + 0.5) / {{ var('grid_points') }}
    )
{%- endmacro %}
