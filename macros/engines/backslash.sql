{# Within quotes it means itself on some engines, and escapes what follows on others. #}
{% macro backslash() -%}
    {{ return(adapter.dispatch('backslash')()) }}
{%- endmacro %}

{% macro default__backslash() -%}
    chr(92)
{%- endmacro %}

{% macro sqlite__backslash() -%}
    char(92)
{%- endmacro %}
