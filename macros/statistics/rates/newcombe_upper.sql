{#-
    Upper end of Newcombe's hybrid score interval of challenger minus incumbent, -1..1: the lower end with the two
    arms exchanged, and its sign changed. Fixed-horizon: right for one look, too narrow for many. Null if a rate is
    null.

    Formula: p2 - p1 + sqrt((u2 - p2)^2 + (p1 - l1)^2)
    incumbent_rate    p1, the incumbent's success rate
    incumbent_lower   l1, lower end of its Wilson interval
    challenger_rate   p2, the challenger's success rate
    challenger_upper  u2, upper end of its Wilson interval
    Example: newcombe_upper('0.6', '0.5', '0.8', '0.85') is 0.31180339887498953
    Source: Newcombe (1998), method 10.
-#}
{% macro newcombe_upper(incumbent_rate, incumbent_lower, challenger_rate, challenger_upper) -%}
    (-{{ newcombe_lower(challenger_rate, challenger_upper, incumbent_rate, incumbent_lower) }})
{%- endmacro %}
