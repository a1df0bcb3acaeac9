{#-
    The last day that a calendar may contain is tomorrow, because clocks and time zones differ. Later dates are wrong.
-#}
{% macro last_day() -%}
    {{ days_after(today(), 1) }}
{%- endmacro %}
