{#-
    One imagined pair for each side keeps the variance off zero, but where every pair favours the same arm: there the
    bound of 1/(n + 2), which no other table reaches, keeps the clearest evidence of all from having no interval.
-#}
{% macro paired_squared_error(pairs, only_incumbent, only_challenger) -%}
    {%- set n, b, c = double(pairs), double(only_incumbent), double(only_challenger) -%}
    {%- set mean = '((' ~ c ~ ' - ' ~ b ~ ') / nullif(' ~ n ~ ', 0))' -%}
    {%- set variance = '((' ~ b ~ ' + ' ~ c ~ ' + 2) / (' ~ n ~ ' + 2) - ' ~ mean ~ ' * ' ~ mean ~ ')' -%}
    ({{ at_least(variance, '1 / (' ~ n ~ ' + 2)') }} / nullif({{ n }}, 0))
{%- endmacro %}
