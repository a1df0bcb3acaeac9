{#- Ville's inequality: an e-value ever reaches 1/p with probability at most p, over all looks together. -#}
{% macro anytime_p_value(e_value) -%}
    (case when {{ e_value }} > 1 then 1 / {{ double(e_value) }} when {{ e_value }} <= 1 then 1e0 end)
{%- endmacro %}
