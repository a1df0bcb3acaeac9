{#-
    One imagined pair for each side keeps the variance above zero. If every pair favours the same arm, the bound 1/(n +
    2) applies instead. No other table reaches it, and without it the clearest evidence would have no interval.
-#}
{% macro paired_squared_error(pairs, only_incumbent, only_challenger) -%}
    {%- set n, b, c = double(pairs), double(only_incumbent), double(only_challenger) -%}
    {%- set mean = '((' ~ c ~ ' - ' ~ b ~ ') / nullif(' ~ n ~ ', 0))' -%}
    {%- set variance = '((' ~ b ~ ' + ' ~ c ~ ' + 2) / (' ~ n ~ ' + 2) - ' ~ mean ~ ' * ' ~ mean ~ ')' -%}
    ({{ at_least(variance, '1 / (' ~ n ~ ' + 2)') }} / nullif({{ n }}, 0))
{%- endmacro %}
