{#- Noise in either count adds variance by the delta method. -#}
{% macro log_odds_variance(successes, trials, noise_variance='0') -%}
    {%- set won = '(' ~ at_least(double(successes), '0e0') ~ ' + 0.5)' -%}
    {%- set lost = '(' ~ at_least(double(trials) ~ ' - ' ~ double(successes), '0e0') ~ ' + 0.5)' -%}
    (case
        when {{ trials }} > 0
            then 1 / {{ won }} + 1 / {{ lost }}
                + {{ double(noise_variance) }} * (1 / ({{ won }} * {{ won }}) + 1 / ({{ lost }} * {{ lost }}))
    end)
{%- endmacro %}
