{#-
    Squared difference divided by its squared error; null if there is no error to divide by.

    Formula: difference^2 / squared_error
    difference     the challenger's success rate minus the incumbent's
    squared_error  squared standard error of the difference
    Example: squared_z('0.1', '0.0012') is 8.333333333333336
-#}
{% macro squared_z(difference, squared_error) -%}
    ({{ double(difference) }} * {{ double(difference) }} / nullif({{ double(squared_error) }}, 0))
{%- endmacro %}
