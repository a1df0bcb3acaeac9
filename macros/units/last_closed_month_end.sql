{#- In UTC, by the build's clock: see today(). -#}
{% macro last_closed_month_end() -%}
    {{ days_after("'" ~ ((var('now') or run_started_at.strftime('%Y-%m-%d')) | string)[:7] ~ "-01'", -1) }}
{%- endmacro %}
