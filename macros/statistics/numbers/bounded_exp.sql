{#-
    Past these bounds PostgreSQL raises an error and the others answer infinity or 0. The lower bound lies where the
    product of two results is still a double: PostgreSQL refuses a product that underflows too.
-#}
{% macro bounded_exp(exponent) -%}
    exp(case
        when {{ exponent }} > 700 then 700e0
        when {{ exponent }} < -300 then -300e0
        else {{ exponent }}
    end)
{%- endmacro %}
