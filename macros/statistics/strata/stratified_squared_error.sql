{#-
    Squared standard error of a difference over strata: the larger of the two variances. One quarter is added to the
    first, so that a lucky start does not look like certainty. Null without a common stratum.

    Formula: max(V + 1/4, V_rob) / W^2
    variance         V, sum of stratum_variance
    robust_variance  V_rob, from the macro of that name; null counts as 0
    weight           W, sum of stratum_weight
    Example: stratified_squared_error('9.75', '12', '60') is 0.0033333333333333335
    Source: ter Schure et al., arXiv 2011.06931; Deng, Knoblich and Lu (2018).
-#}
{% macro stratified_squared_error(variance, robust_variance, weight) -%}
    ({{ at_least(double(variance) ~ ' + 0.25e0', 'coalesce(' ~ double(robust_variance) ~ ', 0e0)') }}
    / nullif({{ double(weight) }} * {{ double(weight) }}, 0))
{%- endmacro %}
