{#- least() is missing on SQLite, and elsewhere skips nulls; here a null expression stays null. -#}
{% macro at_most(expression, bound) -%}
    (case when {{ expression }} > {{ bound }} then {{ bound }} else {{ expression }} end)
{%- endmacro %}
