{#-
    Squared standard error of the mean difference per task, for sequential_half_width with the pairs as trials; null
    without pairs. One imagined pair for each side keeps the variance above zero. If every pair favours the same
    arm, the bound 1/(n + 2) applies instead. No other table reaches it, and without it the clearest evidence would
    have no interval.

    Formula: max((b + c + 2)/(n + 2) - ((c - b)/n)^2, 1/(n + 2)) / n
    pairs            n, tasks that both arms tried
    only_incumbent   b, tasks at which only the incumbent succeeded
    only_challenger  c, tasks at which only the challenger succeeded
    Example: paired_squared_error('100', '4', '12') is 0.0017007058823529414
-#}
{% macro paired_squared_error(pairs, only_incumbent, only_challenger) -%}
    {%- set n, b, c = double(pairs), double(only_incumbent), double(only_challenger) -%}
    {%- set mean = '((' ~ c ~ ' - ' ~ b ~ ') / nullif(' ~ n ~ ', 0))' -%}
    {%- set variance = '((' ~ b ~ ' + ' ~ c ~ ' + 2) / (' ~ n ~ ' + 2) - ' ~ mean ~ ' * ' ~ mean ~ ')' -%}
    ({{ at_least(variance, '1 / (' ~ n ~ ' + 2)') }} / nullif({{ n }}, 0))
{%- endmacro %}
