{% macro utc_timestamp(timestamp_text) -%}
    {{ return(adapter.dispatch('utc_timestamp')(timestamp_text)) }}
{%- endmacro %}

{% macro default__utc_timestamp(timestamp_text) -%}
    (cast({{ timestamp_text }} as timestamp with time zone) at time zone 'UTC')
{%- endmacro %}

{# '+0 seconds' makes SQLite before 3.42 normalise a day that does not exist instead of repeating it. #}
{% macro sqlite__utc_timestamp(timestamp_text) -%}
    strftime('%Y-%m-%d %H:%M:%f', {{ timestamp_text }}, '+0 seconds')
{%- endmacro %}
