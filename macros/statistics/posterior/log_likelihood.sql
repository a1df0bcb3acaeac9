{#- Logarithms work for any number of trials; the likelihood itself underflows after about a thousand. -#}
{% macro log_likelihood(successes, trials, rate) -%}
    {%- set k, n, x = double(successes), double(trials), double(rate) -%}
    (case
        when {{ x }} > 0 and {{ x }} < 1
            then {{ k }} * ln({{ x }}) + ({{ n }} - {{ k }}) * ln(1 - {{ x }})
    end)
{%- endmacro %}
