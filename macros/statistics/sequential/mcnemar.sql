{#- Only tasks with different results of the two arms carry information. Asymptotic, without continuity correction. -#}
{% macro mcnemar(only_incumbent, only_challenger) -%}
    {%- set b, c = double(only_incumbent), double(only_challenger) -%}
    (({{ b }} - {{ c }}) * ({{ b }} - {{ c }}) / nullif({{ b }} + {{ c }}, 0))
{%- endmacro %}
