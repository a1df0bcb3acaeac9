{#-
    Parameter of a rate's Beta posterior: the counted successes, plus those that the prior counts as; or, with the
    failures and the rate of failures, the other parameter. The prior counts as at most 200 trials, because the
    variance between few models is hardly known.

    Formula: k + min(M, 200) m
    count       k, successes (or failures)
    prior_rate  m, the expected rate of successes (or of failures)
    strength    M, the number of trials that the prior rate counts as
    Example: posterior_count('45', '0.8', '20') is 61.0
-#}
{% macro posterior_count(count, prior_rate, strength) -%}
    ({{ double(count) }} + {{ at_most(double(strength), '200e0') }} * {{ double(prior_rate) }})
{%- endmacro %}
