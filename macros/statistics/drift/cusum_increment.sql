{#-
    Log-likelihood ratio of a day's trials for a fallen rate: at the baseline minus cusum_drop against the baseline.
    0 if the day has no trials or is not monitored.

    Formula: k ln(p1/p0) + (n - k) ln((1 - p1)/(1 - p0)), with p1 = p0 - cusum_drop
    successes  k, the day's successes
    trials     n, the day's trials
    baseline   p0, expected success rate, from cusum_baseline
    Example: cusum_increment('6', '10', '0.8') is 0.820672076685522
    Source: Page (1954).
-#}
{% macro cusum_increment(successes, trials, baseline) -%}
    {%- set k, n, p0 = double(successes), double(trials), double(baseline) -%}
    {%- set p1 = '(' ~ p0 ~ ' - ' ~ double(var('cusum_drop')) ~ ')' -%}
    (case
        when {{ is_monitored(baseline) }} = 1 and {{ n }} > 0 and {{ p0 }} < 1
            then {{ k }} * ln({{ p1 }} / {{ p0 }}) + ({{ n }} - {{ k }}) * ln((1 - {{ p1 }}) / (1 - {{ p0 }}))
        else 0e0
    end)
{%- endmacro %}
