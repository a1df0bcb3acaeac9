{# As text on every engine, so that one moment is one text: YYYY-MM-DD HH:MM:SS.mmm, digits after the millisecond are cut off. #}
{% macro utc_timestamp(timestamp_text) -%}
    {{ return(adapter.dispatch('utc_timestamp')(timestamp_text)) }}
{%- endmacro %}

{% macro duckdb__utc_timestamp(timestamp_text) -%}
    strftime(
        cast({{ timestamp_text }} as timestamp with time zone) at time zone 'UTC',
        '%Y-%m-%d %H:%M:%S.%g'
    )
{%- endmacro %}

{# A text without an offset would be read in the server's own time zone. #}
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

{# '+0 seconds' makes SQLite before 3.42 normalise a day that does not exist instead of repeating it. #}
{% macro sqlite__utc_timestamp(timestamp_text) -%}
    strftime('%Y-%m-%d %H:%M:%f', {{ to_millisecond(timestamp_text) }}, '+0 seconds')
{%- endmacro %}
