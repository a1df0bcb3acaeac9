{#-
    Upper end of the Wilson score interval of a success rate, 0..1, at the level 1 - alpha; null without trials. It
    is exactly 1 if all trials succeeded.

    Formula: 1 - wilson_lower(n - k, n)
    successes  k, successful trials
    trials     n, successes plus the failures that count against the model
    Example: wilson_upper('45', '50') is 0.9565242350681095
    Source: Wilson (1927).
-#}
{% macro wilson_upper(successes, trials) -%}
    (1 - {{ wilson_lower('(' ~ trials ~ ') - (' ~ successes ~ ')', trials) }})
{%- endmacro %}
