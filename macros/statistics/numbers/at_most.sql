{#- SQLite has no least(), and on other engines it skips nulls; here a null expression stays null. -#}
{% macro at_most(expression, bound) -%}
    (case when {{ expression }} > {{ bound }} then {{ bound }} else {{ expression }} end)
{%- endmacro %}
