{# The build's own days, in UTC, as texts YYYY-MM-DD: from the var `now`, or else from the time when dbt started. #}


{# The day of the build. Days before it are closed: if outcomes are recorded as they happen, no more outcomes are added
   to these days. Example: where outcome_date < today(). #}
{% macro today() -%}
    '{{ ((var('now') or run_started_at.strftime('%Y-%m-%d')) | string)[:10] }}'
{%- endmacro %}


{# The last day that a calendar may contain: the day after today(), because clocks and time zones differ. Later dates
   are wrong. Example: where outcome_date <= last_day(). #}
{% macro last_day() -%}
    {{ days_after(today(), 1) }}
{%- endmacro %}


{# The last day of the month before today(). Example: where outcome_date <= last_closed_month_end(). #}
{% macro last_closed_month_end() -%}
    {{ days_after("'" ~ ((var('now') or run_started_at.strftime('%Y-%m-%d')) | string)[:7] ~ "-01'", -1) }}
{%- endmacro %}
