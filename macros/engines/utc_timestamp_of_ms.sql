{# The same as utc_timestamp, for milliseconds since 1970. #}
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
