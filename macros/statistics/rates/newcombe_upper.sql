{#- The lower end with the two arms exchanged, and its sign changed. -#}
{% macro newcombe_upper(incumbent_rate, incumbent_lower, challenger_rate, challenger_upper) -%}
    (-{{ newcombe_lower(challenger_rate, challenger_upper, incumbent_rate, incumbent_lower) }})
{%- endmacro %}
