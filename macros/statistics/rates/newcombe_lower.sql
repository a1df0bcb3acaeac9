{#- The hybrid score interval takes, from each arm's Wilson interval, the end that lowers the difference. -#}
{% macro newcombe_lower(incumbent_rate, incumbent_upper, challenger_rate, challenger_lower) -%}
    {%- set below_challenger = '(' ~ double(challenger_rate) ~ ' - ' ~ double(challenger_lower) ~ ')' -%}
    {%- set above_incumbent = '(' ~ double(incumbent_upper) ~ ' - ' ~ double(incumbent_rate) ~ ')' -%}
    (
        {{ double(challenger_rate) }} - {{ double(incumbent_rate) }}
        - sqrt({{ below_challenger }} * {{ below_challenger }} + {{ above_incumbent }} * {{ above_incumbent }})
    )
{%- endmacro %}
