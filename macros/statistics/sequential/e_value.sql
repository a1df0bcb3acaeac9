{#- Logarithms are added and raised once, so that very strong evidence gives a large number and no error. -#}
{% macro e_value(squared_z, trials) -%}
    {%- set n, r = double(trials), sequential_tuning() -%}
    {{ bounded_exp(
        '(' ~ double(squared_z) ~ ' * ' ~ n ~ ' / (' ~ n ~ ' + ' ~ r ~ ')'
        ~ ' - ln((' ~ n ~ ' + ' ~ r ~ ') / ' ~ r ~ ')) / 2'
    ) }}
{%- endmacro %}
