{#-
    p value that is valid at every look. An e-value ever reaches 1/p with probability at most p, over all looks
    together.

    Formula: min(1 / e_value, 1)
    e_value  from the macro of that name
    Example: anytime_p_value('8') is 0.125
    Source: Ville's inequality (1939).
-#}
{% macro anytime_p_value(e_value) -%}
    (case when {{ e_value }} > 1 then 1 / {{ double(e_value) }} when {{ e_value }} <= 1 then 1e0 end)
{%- endmacro %}
