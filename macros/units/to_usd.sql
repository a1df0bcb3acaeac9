{#- The way back from to_nano_usd(): sums are kept as integers, and divided once at the end. -#}
{% macro to_usd(nano_usd) -%}
    ({{ double(nano_usd) }} / 1e9)
{%- endmacro %}
