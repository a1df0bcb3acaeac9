{#-
    Lower end of Newcombe's hybrid score interval of challenger minus incumbent, -1..1. It takes, from each arm's
    Wilson interval, the end that lowers the difference. Fixed-horizon: right for one look, too narrow for many.
    Null if a rate is null.

    Formula: p2 - p1 - sqrt((p2 - l2)^2 + (u1 - p1)^2)
    incumbent_rate    p1, the incumbent's success rate
    incumbent_upper   u1, upper end of its Wilson interval
    challenger_rate   p2, the challenger's success rate
    challenger_lower  l2, lower end of its Wilson interval
    Example: newcombe_lower('0.6', '0.75', '0.8', '0.7') is 0.019722436226800533
    Source: Newcombe (1998), method 10.
-#}
{% macro newcombe_lower(incumbent_rate, incumbent_upper, challenger_rate, challenger_lower) -%}
    {%- set below_challenger = '(' ~ double(challenger_rate) ~ ' - ' ~ double(challenger_lower) ~ ')' -%}
    {%- set above_incumbent = '(' ~ double(incumbent_upper) ~ ' - ' ~ double(incumbent_rate) ~ ')' -%}
    (
        {{ double(challenger_rate) }} - {{ double(incumbent_rate) }}
        - sqrt({{ below_challenger }} * {{ below_challenger }} + {{ above_incumbent }} * {{ above_incumbent }})
    )
{%- endmacro %}
