{#-
    Lower end of the interval of a mean of values between 0 and 1, not below 0; null for fewer than two values.

    Formula: max(0, mean - t sqrt(S/(m (m - 1))))
    mean      of the values
    squares   S, sum of the squared deviations from the mean
    values    m, how many they are
    quantile  t, at m - 1 degrees of freedom
    Example: mean_lower('0.9', '0.2', '5', '2e0') is 0.7
-#}
{% macro mean_lower(mean, squares, values, quantile) -%}
    {%- set error = 'sqrt(' ~ ratio(squares, values ~ ' * (' ~ values ~ ' - 1)') ~ ')' -%}
    {{ at_least('(' ~ double(mean) ~ ' - ' ~ quantile ~ ' * ' ~ error ~ ')', '0e0') }}
{%- endmacro %}
