{#-
    Variance of the sum of weighted differences, as the strata show it: it includes retries, bad days and everything
    else that makes trials of one stratum alike. Null with fewer than two strata.

    Formula: G/(G - 1) sum(w^2 (x - d)^2), multiplied out, over G strata with weight w and difference x
    strata               G, number of strata
    difference           d, weighted mean of the differences
    squared_differences  sum of w^2 x^2
    signed_differences   sum of w^2 x
    squared_weights      sum of w^2
    Example: robust_variance('10', '0.1', '2', '12', '100') is 0.6666666666666665
    Source: Liang and Zeger (1986).
-#}
{% macro robust_variance(strata, difference, squared_differences, signed_differences, squared_weights) -%}
    ({{ ratio(strata, strata ~ ' - 1') }} * {{ at_least(
        '(' ~ double(squared_differences) ~ ' - 2 * ' ~ double(difference) ~ ' * ' ~ double(signed_differences)
        ~ ' + ' ~ double(difference) ~ ' * ' ~ double(difference) ~ ' * ' ~ double(squared_weights) ~ ')',
        '0e0'
    ) }})
{%- endmacro %}
