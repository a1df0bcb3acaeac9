{% macro day_of(utc_timestamp) -%}
    {{ return(adapter.dispatch('day_of')(utc_timestamp)) }}
{%- endmacro %}

{% macro default__day_of(utc_timestamp) -%}
    cast(cast({{ utc_timestamp }} as date) as varchar(10))
{%- endmacro %}

{% macro sqlite__day_of(utc_timestamp) -%}
    substr({{ utc_timestamp }}, 1, 10)
{%- endmacro %}
