{#-
    Standard deviation of a rate's posterior with a uniform prior; null without trials.

    Formula: that of Beta(k + 1, n - k + 1): sqrt((k + 1)(n - k + 1)/(n + 3)) / (n + 2)
    successes  k, successful trials
    trials     n, successes plus the failures that count against the model
    Example: posterior_deviation('45', '50') is 0.04388471301231017
-#}
{% macro posterior_deviation(successes, trials) -%}
    {%- set k, n = double(successes), double(trials) -%}
    (case when {{ n }} > 0 then sqrt(({{ k }} + 1) * ({{ n }} - {{ k }} + 1) / ({{ n }} + 3)) / ({{ n }} + 2) end)
{%- endmacro %}
