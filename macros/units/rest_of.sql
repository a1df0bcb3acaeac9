{#-
    The number minus its carry_of() units. Ten million outcomes of $1,000,000 are 10^22 nano-dollars, which do not fit
    into 64 bits. So the dbt models keep two sums; to_usd(), to_count() and to_double() join them.
-#}
{% macro rest_of(number) -%}
    ({{ number }} % 100000000000)
{%- endmacro %}
