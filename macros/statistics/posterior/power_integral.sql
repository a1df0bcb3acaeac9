{#-
    Integral of x^(p - 1), which has no value at 0 if p is below 1.

    Formula: (upper^p - lower^p) / p
    lower     lower end, 0 or more
    upper     upper end
    exponent  p, above 0
    Example: power_integral('0', '0.25', '0.5') is 1.0
-#}
{% macro power_integral(lower, upper, exponent) -%}
    {%- set p = double(exponent) -%}
    ((
        exp({{ p }} * ln({{ upper }}))
        - case when {{ lower }} > 0 then exp({{ p }} * ln({{ lower }})) else 0e0 end
    ) / {{ p }})
{%- endmacro %}
