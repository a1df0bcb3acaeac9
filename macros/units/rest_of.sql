{#- The rest of a number without its carry_of(). Ten million outcomes of $1,000,000 are 10^22 nano-dollars, which
    64 bits do not hold. So the dbt models keep two sums; to_usd(), to_count() and to_double() join them. -#}
{% macro rest_of(number) -%}
    ({{ number }} % 100000000000)
{%- endmacro %}
