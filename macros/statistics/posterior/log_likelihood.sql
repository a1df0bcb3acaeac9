{#-
    Logarithm of the likelihood of a rate; null if the rate is not between 0 and 1. Logarithms work for any number
    of trials; the likelihood itself underflows after about a thousand.

    Formula: k ln(x) + (n - k) ln(1 - x)
    successes  k, successful trials
    trials     n, successes plus the failures that count against the model
    rate       x, between 0 and 1, both excluded
    Example: log_likelihood('45', '50', '0.9') is -16.25414866957241
-#}
{% macro log_likelihood(successes, trials, rate) -%}
    {%- set k, n, x = double(successes), double(trials), double(rate) -%}
    (case
        when {{ x }} > 0 and {{ x }} < 1
            then {{ k }} * ln({{ x }}) + ({{ n }} - {{ k }}) * ln(1 - {{ x }})
    end)
{%- endmacro %}
