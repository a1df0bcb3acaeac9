{#- A cell without trials has no rate, not even that of the other models. -#}
{% macro shrunk_rate(successes, trials, prior_rate, strength) -%}
    (case
        when {{ trials }} > 0
            then {{ ratio(double(successes) ~ ' + ' ~ double(strength) ~ ' * ' ~ double(prior_rate), double(trials) ~ ' + ' ~ double(strength)) }}
    end)
{%- endmacro %}
