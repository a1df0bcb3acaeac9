{#-
    exp of the exponent clipped to [-300, 700], so a value between 5e-131 and 1e304. Beyond these bounds PostgreSQL
    raises an error, and the other engines return infinity or 0. At the lower bound the product of two results is
    still a double, because PostgreSQL also refuses a product that underflows.

    Formula: exp(min(max(exponent, -300), 700))
    Example: bounded_exp('1000') is 1.0142320547350045e304
-#}
{% macro bounded_exp(exponent) -%}
    exp(case
        when {{ exponent }} > 700 then 700e0
        when {{ exponent }} < -300 then -300e0
        else {{ exponent }}
    end)
{%- endmacro %}
