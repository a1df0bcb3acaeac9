{% macro days_after(day, days) -%}
    {{ return(adapter.dispatch('days_after')(day, days)) }}
{%- endmacro %}

{% macro default__days_after(day, days) -%}
    cast(cast({{ day }} as date) + ({{ days }}) as varchar(10))
{%- endmacro %}

{% macro sqlite__days_after(day, days) -%}
    date({{ day }}, ({{ days }}) || ' days')
{%- endmacro %}
