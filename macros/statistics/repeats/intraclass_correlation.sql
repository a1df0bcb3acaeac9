{#-
    The tasks' share of the variance of verdicts: 1 if each task always ends the same way, 0 if the task does not
    matter. Null if all verdicts are the same, with fewer than two tasks, and if no task was repeated.

    Formula: max(0, (B - W)/(B + (g - 1) W)), with mean squares between the m tasks B = (k (N - k)/N - S)/(m - 1) and
    inside them W = S/(N - m), and the mean number of tries g = (N - Q/N)/(m - 1)
    tasks          m, number of tasks
    tries          N, their tries
    successes      k, their successful tries
    inner_squares  S, sum over the tasks of c (n - c)/n, with c successes in n tries
    squared_tries  Q, sum of the squared n
    Example: intraclass_correlation('2', '4', '2', '0', '8') is 1.0
    Source: Donner and Koval (1980), one-way analysis of variance.
-#}
{% macro intraclass_correlation(tasks, tries, successes, inner_squares, squared_tries) -%}
    {%- set n, k = double(tries), double(successes) -%}
    {%- set between = '(' ~ ratio('(' ~ ratio(k ~ ' * (' ~ n ~ ' - ' ~ k ~ ')', tries) ~ ' - ' ~ inner_squares ~ ')', tasks ~ ' - 1') ~ ')' -%}
    {%- set inside = ratio(inner_squares, tries ~ ' - ' ~ tasks) -%}
    {%- set mean_tries = ratio('(' ~ n ~ ' - ' ~ ratio(squared_tries, tries) ~ ')', tasks ~ ' - 1') -%}
    {{ at_least(
        ratio(between ~ ' - ' ~ inside, between ~ ' + (' ~ mean_tries ~ ' - 1) * ' ~ inside), '0e0'
    ) }}
{%- endmacro %}
