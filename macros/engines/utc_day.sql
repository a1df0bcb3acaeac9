{% macro utc_day(timestamp_text) -%}
    {{ return(adapter.dispatch('utc_day')(timestamp_text)) }}
{%- endmacro %}

{% macro default__utc_day(timestamp_text) -%}
    {{ day_of(utc_timestamp(timestamp_text)) }}
{%- endmacro %}

{# One function call, because a full refresh runs it for every outcome of the log. #}
{% macro sqlite__utc_day(timestamp_text) -%}
    date({{ to_millisecond(timestamp_text) }}, '+0 seconds')
{%- endmacro %}
