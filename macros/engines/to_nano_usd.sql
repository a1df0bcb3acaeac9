{# Whole nano-dollars: integer sums are exact, and the same on every engine. #}
{% macro to_nano_usd(cost_usd) -%}
    {{ return(adapter.dispatch('to_nano_usd')(cost_usd)) }}
{%- endmacro %}

{% macro default__to_nano_usd(cost_usd) -%}
    cast(floor({{ cost_usd }} * 1e9 + 0.5e0) as bigint)
{%- endmacro %}

{% macro sqlite__to_nano_usd(cost_usd) -%}
    cast(floor({{ cost_usd }} * 1e9 + 0.5e0) as integer)
{%- endmacro %}
