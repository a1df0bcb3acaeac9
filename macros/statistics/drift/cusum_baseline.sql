{#-
    Success rate of the baseline days, clipped to cusum_lowest_baseline .. cusum_highest_baseline; null below
    cusum_min_trials trials. It is kept away from 0 and 1: there, one opposite outcome would be infinite evidence.

    Formula: min(max(k/n, lowest), highest)
    baseline_successes  k, successes over the days of the baseline
    baseline_trials     n, trials over the same days
    Example: cusum_baseline('40', '50') is 0.8
-#}
{% macro cusum_baseline(baseline_successes, baseline_trials) -%}
    {%- set rate = ratio(baseline_successes, baseline_trials) -%}
    (case
        when {{ baseline_trials }} >= {{ var('cusum_min_trials') }}
            then {{ at_most(at_least(rate, double(var('cusum_lowest_baseline'))), double(var('cusum_highest_baseline'))) }}
    end)
{%- endmacro %}
