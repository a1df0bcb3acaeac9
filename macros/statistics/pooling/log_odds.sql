{#-
    Log odds of one project's cell; null without trials. Half a success and half a failure are added, so that log
    odds exist if all trials succeeded or all failed. Noise can make counts negative: they then count as 0.

    Formula: ln((k + 0.5)/(n - k + 0.5))
    successes  k, successful trials
    trials     n, successes plus the failures that count against the model
    Example: log_odds('45', '50') is 2.1129642337184795
-#}
{% macro log_odds(successes, trials) -%}
    {%- set won = at_least(double(successes), '0e0') -%}
    {%- set lost = at_least(double(trials) ~ ' - ' ~ double(successes), '0e0') -%}
    (case when {{ trials }} > 0 then ln(({{ won }} + 0.5) / ({{ lost }} + 0.5)) end)
{%- endmacro %}
