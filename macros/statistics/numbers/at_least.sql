{#-
    The expression, or the bound if the expression is below it; null if the expression is null. SQLite has no
    greatest(), and on other engines it skips nulls.

    Formula: max(expression, bound)
    bound  lowest value, not null
    Example: at_least('-2', '-1e0') is -1.0
-#}
{% macro at_least(expression, bound) -%}
    (case when {{ expression }} < {{ bound }} then {{ bound }} else {{ expression }} end)
{%- endmacro %}
