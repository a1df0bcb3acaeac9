{#- The last day that a calendar may reach: tomorrow, since clocks and time zones differ. Later dates are wrong. -#}
{% macro last_day() -%}
    {{ days_after(today(), 1) }}
{%- endmacro %}
