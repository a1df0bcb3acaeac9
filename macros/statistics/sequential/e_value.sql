{#- Summed as logarithms and raised once, so that overwhelming evidence is a large number instead of an error. -#}
{% macro e_value(squared_z, trials) -%}
    {%- set n, r = double(trials), sequential_tuning() -%}
    {{ bounded_exp(
        '(' ~ double(squared_z) ~ ' * ' ~ n ~ ' / (' ~ n ~ ' + ' ~ r ~ ')'
        ~ ' - ln((' ~ n ~ ' + ' ~ r ~ ') / ' ~ r ~ ')) / 2'
    ) }}
{%- endmacro %}
