{#-
    A point between lowest and highest. Equal steps of the position give steps that get shorter toward both ends, where
    a posterior can be steep.

    Formula: lowest + (highest - lowest) w^2 (3 - 2 w)
    position  w, from 0 to 1
    Example: grid_point('0.2', '0.8', '0.25') is 0.29375
-#}
{% macro grid_point(lowest, highest, position) -%}
    {%- set w = double(position) -%}
    ({{ double(lowest) }} + ({{ double(highest) }} - {{ double(lowest) }}) * {{ w }} * {{ w }} * (3 - 2 * {{ w }}))
{%- endmacro %}
