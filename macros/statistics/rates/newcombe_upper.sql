{#- The lower end with the arms exchanged, turned round. -#}
{% macro newcombe_upper(incumbent_rate, incumbent_lower, challenger_rate, challenger_upper) -%}
    (-{{ newcombe_lower(challenger_rate, challenger_upper, incumbent_rate, incumbent_lower) }})
{%- endmacro %}
