{#- How many hundreds of billions are in a number: the part of it that a sum carries apart (see rest_of). -#}
{% macro carry_of(number) -%}
    cast(({{ number }} - {{ number }} % 100000000000) / 100000000000 as bigint)
{%- endmacro %}
