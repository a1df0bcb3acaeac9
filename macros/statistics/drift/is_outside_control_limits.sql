{#- Three standard deviations around the baseline, as in a p-chart. -#}
{% macro is_outside_control_limits(successes, trials, baseline) -%}
    {%- set k, n, p0 = double(successes), double(trials), double(baseline) -%}
    (case
        when {{ n }} > 0 and abs({{ k }} - {{ n }} * {{ p0 }}) > 3 * sqrt({{ n }} * {{ p0 }} * (1 - {{ p0 }})) then 1
        else 0
    end)
{%- endmacro %}
