{#-
    Upper end of the interval of a mean of values between 0 and 1, not above 1; null for fewer than two values.

    Formula: min(1, mean + t sqrt(S/(m (m - 1))))
    mean      of the values
    squares   S, sum of the squared deviations from the mean
    values    m, how many they are
    quantile  t, at m - 1 degrees of freedom
    Example: mean_upper('0.5', '0.2', '5', '2e0') is 0.7
-#}
{% macro mean_upper(mean, squares, values, quantile) -%}
    {%- set error = 'sqrt(' ~ ratio(squares, values ~ ' * (' ~ values ~ ' - 1)') ~ ')' -%}
    {{ at_most('(' ~ double(mean) ~ ' + ' ~ quantile ~ ' * ' ~ error ~ ')', '1e0') }}
{%- endmacro %}
