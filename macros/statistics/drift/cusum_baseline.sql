{#- Kept away from 0 and 1: there, one opposite outcome would be infinite evidence. -#}
{% macro cusum_baseline(baseline_successes, baseline_trials) -%}
    {%- set rate = ratio(baseline_successes, baseline_trials) -%}
    (case
        when {{ baseline_trials }} >= {{ var('cusum_min_trials') }}
            then {{ at_most(at_least(rate, double(var('cusum_lowest_baseline'))), double(var('cusum_highest_baseline'))) }}
    end)
{%- endmacro %}
