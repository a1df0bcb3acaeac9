{#-
    Logarithm of the density of a Beta posterior at a rate x, up to a constant of the posterior. Logarithms work for any
    number of trials; the density itself underflows after about a thousand.

    Formula: (a - 1) ln(x) + (b - 1) ln(1 - x)
    successes         a, from posterior_count
    failures          b, from posterior_count
    log_rate          ln(x)
    log_failure_rate  ln(1 - x)
    Example: log_density('46', '6', '-0.10536051565782628', '-2.302585092994046') is -16.25414866957241
-#}
{% macro log_density(successes, failures, log_rate, log_failure_rate) -%}
    (({{ double(successes) }} - 1) * {{ double(log_rate) }} + ({{ double(failures) }} - 1) * {{ double(log_failure_rate) }})
{%- endmacro %}
