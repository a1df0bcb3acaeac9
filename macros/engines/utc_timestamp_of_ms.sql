{# What utc_timestamp gives for a text, of milliseconds since 1970. #}
{% macro utc_timestamp_of_ms(epoch_ms) -%}
    {{ return(adapter.dispatch('utc_timestamp_of_ms')(epoch_ms)) }}
{%- endmacro %}

{% macro default__utc_timestamp_of_ms(epoch_ms) -%}
    (timestamp '1970-01-01 00:00:00' + ({{ epoch_ms }}) * interval '1 millisecond')
{%- endmacro %}

{# DuckDB multiplies intervals by 32-bit integers alone. #}
{% macro duckdb__utc_timestamp_of_ms(epoch_ms) -%}
    epoch_ms({{ epoch_ms }})
{%- endmacro %}

{% macro spark__utc_timestamp_of_ms(epoch_ms) -%}
    timestamp_millis({{ epoch_ms }})
{%- endmacro %}

{% macro sqlite__utc_timestamp_of_ms(epoch_ms) -%}
    strftime('%Y-%m-%d %H:%M:%f', ({{ epoch_ms }}) / 1e3, 'unixepoch')
{%- endmacro %}
