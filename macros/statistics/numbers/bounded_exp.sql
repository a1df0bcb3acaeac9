{#-
    Beyond these bounds PostgreSQL raises an error, and the other engines return infinity or 0. At the lower bound the
    product of two results is still a double, because PostgreSQL also refuses a product that underflows.
-#}
{% macro bounded_exp(exponent) -%}
    exp(case
        when {{ exponent }} > 700 then 700e0
        when {{ exponent }} < -300 then -300e0
        else {{ exponent }}
    end)
{%- endmacro %}
