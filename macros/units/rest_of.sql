{#- What carry_of() leaves of a number. Ten million outcomes of $1,000,000 are 10^22 nano-dollars, more than 64 bits hold.
    So two sums are kept, and their parts are put together only to be read: in to_usd(), to_count() and to_double(). -#}
{% macro rest_of(number) -%}
    ({{ number }} % 100000000000)
{%- endmacro %}
