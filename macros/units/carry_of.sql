{#- The part of a number that a sum keeps apart, in units of 10^11 (see rest_of). -#}
{% macro carry_of(number) -%}
    cast(({{ number }} - {{ number }} % 100000000000) / 100000000000 as bigint)
{%- endmacro %}
