{% macro day_of(utc_timestamp) -%}
    substr({{ utc_timestamp }}, 1, 10)
{%- endmacro %}
