{#- Standard deviation of Beta(k + 1, n - k + 1), the posterior of a rate with a uniform prior. -#}
{% macro posterior_deviation(successes, trials) -%}
    {%- set k, n = double(successes), double(trials) -%}
    (case when {{ n }} > 0 then sqrt(({{ k }} + 1) * ({{ n }} - {{ k }} + 1) / ({{ n }} + 3)) / ({{ n }} + 2) end)
{%- endmacro %}
