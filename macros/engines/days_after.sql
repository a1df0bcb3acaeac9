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
