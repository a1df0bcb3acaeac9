{# Within quotes some engines read a backslash as itself, and others as an escape of the next character. #}
{% macro backslash() -%}
    {{ return(adapter.dispatch('backslash')()) }}
{%- endmacro %}

{% macro default__backslash() -%}
    chr(92)
{%- endmacro %}

{% macro sqlite__backslash() -%}
    char(92)
{%- endmacro %}
