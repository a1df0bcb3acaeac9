{#-
    The expression, or the bound if the expression is above it; null if the expression is null. SQLite has no
    least(), and on other engines it skips nulls.

    Formula: min(expression, bound)
    bound  highest value, not null
    Example: at_most('2', '1e0') is 1.0
-#}
{% macro at_most(expression, bound) -%}
    (case when {{ expression }} > {{ bound }} then {{ bound }} else {{ expression }} end)
{%- endmacro %}
