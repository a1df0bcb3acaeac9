{#-
    Standard deviation of a Beta posterior.

    Formula: sqrt(a b / (a + b + 1)) / (a + b)
    successes  a, from posterior_count
    failures   b, from posterior_count
    Example: posterior_deviation('46', '6') is 0.04388471301231017
-#}
{% macro posterior_deviation(successes, failures) -%}
    {%- set a, b = double(successes), double(failures) -%}
    (sqrt({{ a }} * {{ b }} / ({{ a }} + {{ b }} + 1)) / ({{ a }} + {{ b }}))
{%- endmacro %}
