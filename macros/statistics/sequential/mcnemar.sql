{#-
    McNemar's statistic for tasks tried by both arms, asymptotic and without continuity correction. Only tasks with
    different results of the two arms carry information. Fixed-horizon. Null if the arms agree on every task.

    Formula: (b - c)^2 / (b + c)
    only_incumbent   b, tasks at which only the incumbent succeeded
    only_challenger  c, tasks at which only the challenger succeeded
    Example: mcnemar('4', '12') is 4.0
    Source: McNemar (1947).
-#}
{% macro mcnemar(only_incumbent, only_challenger) -%}
    {%- set b, c = double(only_incumbent), double(only_challenger) -%}
    (({{ b }} - {{ c }}) * ({{ b }} - {{ c }}) / nullif({{ b }} + {{ c }}, 0))
{%- endmacro %}
