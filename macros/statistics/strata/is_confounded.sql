{#-
    1 if the pooled difference tells another story than the difference inside strata: it has another sign, or lies
    outside the interval; else 0, also without a common stratum.

    Formula: naive * difference < -1e-6 or abs(naive - difference) > half_width. The product of two differences of a
        tenth of a point is 1e-6: below it, signs tell nothing, and engines round in different ways.
    naive_difference  difference of the pooled success rates
    difference        difference inside strata
    half_width        half the width of its interval
    Example: is_confounded('0.23', '0.08', '0.1') is 1
-#}
{% macro is_confounded(naive_difference, difference, half_width) -%}
    (case
        when {{ double(naive_difference) }} * {{ double(difference) }} < -1e-6 then 1
        when abs({{ double(naive_difference) }} - {{ double(difference) }}) > {{ double(half_width) }} then 1
        else 0
    end)
{%- endmacro %}
