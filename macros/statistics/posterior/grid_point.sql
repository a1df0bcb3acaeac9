{#-
    Midpoint of one of grid_points equal steps from lowest to highest. Midpoints never reach the ends, where a
    logarithm has no value.

    Formula: lowest + (highest - lowest) (grid_index + 0.5) / grid_points
    grid_index  0 to grid_points - 1
    Example: grid_point('0.2', '0.8', '500') is 0.35015
-#}
{% macro grid_point(lowest, highest, grid_index) -%}
    (
        {{ double(lowest) }}
        + ({{ double(highest) }} - {{ double(lowest) }}) * ({{ double(grid_index) }} + 0.5) / {{ var('grid_points') }}
    )
{%- endmacro %}
