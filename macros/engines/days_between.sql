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
