{#- SQLite has no greatest(), and on other engines it skips nulls; here a null expression stays null. -#}
{% macro at_least(expression, bound) -%}
    (case when {{ expression }} < {{ bound }} then {{ bound }} else {{ expression }} end)
{%- endmacro %}
