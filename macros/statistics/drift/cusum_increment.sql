{#- The day's log-likelihood ratio for a fallen rate. A day that cannot be judged adds 0. -#}
{% macro cusum_increment(successes, trials, baseline) -%}
    {%- set k, n, p0 = double(successes), double(trials), double(baseline) -%}
    {%- set p1 = '(' ~ p0 ~ ' - ' ~ double(var('cusum_drop')) ~ ')' -%}
    (case
        when {{ is_monitored(baseline) }} = 1 and {{ n }} > 0 and {{ p0 }} < 1
            then {{ k }} * ln({{ p1 }} / {{ p0 }}) + ({{ n }} - {{ k }}) * ln((1 - {{ p1 }}) / (1 - {{ p0 }}))
        else 0e0
    end)
{%- endmacro %}
