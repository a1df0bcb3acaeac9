{# Times and days. Both are text on every engine, so that one time is always one text: YYYY-MM-DD HH:MM:SS.mmm in UTC. #}


{# The UTC time of an ISO 8601 text: YYYY-MM-DD, then a T or a space, HH:MM[:SS[.f...]], then nothing, a Z or +-HH:MM. A
   text without an offset is UTC. Digits after the milliseconds are cut off. Null stays null.
   Example: 2026-03-01T01:30:00+02:00 becomes 2026-02-28 23:30:00.000. #}
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

{# The text of a time without the digits after its milliseconds. SQLite rounds them, so that 23:59:59.9996 would count
   on the next day. Position 20 comes after the seconds; an offset may follow the digits. #}
{% macro to_millisecond(timestamp_text) -%}
    case
        when length({{ timestamp_text }}) > 23 and substr({{ timestamp_text }}, 20, 1) = '.'
            then substr({{ timestamp_text }}, 1, 23) || ltrim(substr({{ timestamp_text }}, 24), '0123456789')
        else {{ timestamp_text }}
    end
{%- endmacro %}


{# The UTC time of whole milliseconds since 1970, in the format of utc_timestamp; null stays null.
   Example: 1772321415126 is 2026-02-28 23:30:15.126. #}
{% macro utc_timestamp_of_ms(epoch_ms) -%}
    {{ return(adapter.dispatch('utc_timestamp_of_ms')(epoch_ms)) }}
{%- endmacro %}

{% macro duckdb__utc_timestamp_of_ms(epoch_ms) -%}
    strftime(epoch_ms({{ epoch_ms }}), '%Y-%m-%d %H:%M:%S.%g')
{%- endmacro %}

{% macro postgres__utc_timestamp_of_ms(epoch_ms) -%}
    to_char(timestamp '1970-01-01' + ({{ epoch_ms }}) * interval '1 millisecond', 'YYYY-MM-DD HH24:MI:SS.MS')
{%- endmacro %}

{% macro spark__utc_timestamp_of_ms(epoch_ms) -%}
    date_format(timestamp_millis({{ epoch_ms }}), 'yyyy-MM-dd HH:mm:ss.SSS')
{%- endmacro %}

{% macro sqlite__utc_timestamp_of_ms(epoch_ms) -%}
    strftime('%Y-%m-%d %H:%M:%f', ({{ epoch_ms }}) / 1e3, 'unixepoch')
{%- endmacro %}


{# The day, YYYY-MM-DD, of a result of utc_timestamp. #}
{% macro day_of(utc_timestamp) -%}
    substr({{ utc_timestamp }}, 1, 10)
{%- endmacro %}


{# The UTC day of an ISO 8601 text, as day_of(utc_timestamp(...)) gives it. #}
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


{# The day that is a whole number of days, which may be negative, after another, by the calendar.
   Example: days_after("'2024-02-28'", 2) is 2024-03-01. #}
{% macro days_after(day, days) -%}
    {{ return(adapter.dispatch('days_after')(day, days)) }}
{%- endmacro %}

{% macro default__days_after(day, days) -%}
    cast(cast({{ day }} as date) + cast({{ days }} as integer) as {{ text_type() }})
{%- endmacro %}

{# The server's setting of DateStyle decides how a date is written as text. #}
{% macro postgres__days_after(day, days) -%}
    to_char(cast({{ day }} as date) + cast({{ days }} as integer), 'YYYY-MM-DD')
{%- endmacro %}

{% macro spark__days_after(day, days) -%}
    cast(date_add(cast({{ day }} as date), cast({{ days }} as integer)) as string)
{%- endmacro %}

{% macro sqlite__days_after(day, days) -%}
    date({{ day }}, ({{ days }}) || ' days')
{%- endmacro %}


{# The number of days from the first day to the second. Example: days_between("'2024-02-28'", "'2024-03-01'") is 2. #}
{% macro days_between(first_day, last_day) -%}
    {{ return(adapter.dispatch('days_between')(first_day, last_day)) }}
{%- endmacro %}

{% macro default__days_between(first_day, last_day) -%}
    (cast({{ last_day }} as date) - cast({{ first_day }} as date))
{%- endmacro %}

{% macro spark__days_between(first_day, last_day) -%}
    datediff(cast({{ last_day }} as date), cast({{ first_day }} as date))
{%- endmacro %}

{% macro sqlite__days_between(first_day, last_day) -%}
    cast(julianday({{ last_day }}) - julianday({{ first_day }}) as integer)
{%- endmacro %}
