{#-
    1 if a day's success rate is more than three standard deviations from the baseline, else 0: a p-chart.

    Formula: |k - n p0| > 3 sqrt(n p0 (1 - p0))
    successes  k, the day's successes
    trials     n, the day's trials
    baseline   p0, expected success rate, from cusum_baseline
    Example: is_outside_control_limits('2', '10', '0.8') is 1
    Source: Shewhart (1931).
-#}
{% macro is_outside_control_limits(successes, trials, baseline) -%}
    {%- set k, n, p0 = double(successes), double(trials), double(baseline) -%}
    (case
        when {{ n }} > 0 and abs({{ k }} - {{ n }} * {{ p0 }}) > 3 * sqrt({{ n }} * {{ p0 }} * (1 - {{ p0 }})) then 1
        else 0
    end)
{%- endmacro %}
