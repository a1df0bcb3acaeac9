{# Text on every engine, so that one time is always one text: YYYY-MM-DD HH:MM:SS.mmm. Digits after the milliseconds are
   cut off. #}
{% macro utc_timestamp(timestamp_text) -%}
    {{ return(adapter.dispatch('utc_timestamp')(timestamp_text)) }}
{%- endmacro %}

{% macro duckdb__utc_timestamp(timestamp_text) -%}
    strftime(
        cast({{ timestamp_text }} as timestamp with time zone) at time zone 'UTC',
        '%Y-%m-%d %H:%M:%S.%g'
    )
{%- endmacro %}

{# Otherwise the server would read a text without an offset in its own time zone. #}
{% macro postgres__utc_timestamp(timestamp_text) -%}
    to_char(
        cast(
            {{ timestamp_text }}
            || case when {{ timestamp_text }} ~ '(Z|[+-][0-9]{2}:[0-9]{2})$' then '' else 'Z' end
            as timestamp with time zone
        ) at time zone 'UTC',
        'YYYY-MM-DD HH24:MI:SS.MS'
    )
{%- endmacro %}

{% macro spark__utc_timestamp(timestamp_text) -%}
    date_format(
        cast({{ timestamp_text }} as timestamp),
        'yyyy-MM-dd HH:mm:ss.SSS'
    )
{%- endmacro %}

{# With '+0 seconds', SQLite before 3.42 normalises a day that does not exist; without it, it repeats the day. #}
{% macro sqlite__utc_timestamp(timestamp_text) -%}
    strftime('%Y-%m-%d %H:%M:%f', {{ to_millisecond(timestamp_text) }}, '+0 seconds')
{%- endmacro %}
