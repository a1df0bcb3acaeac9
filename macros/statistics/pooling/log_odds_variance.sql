{#-
    Variance of log_odds; null without trials. Noise in either count adds variance by the delta method.

    Formula: 1/(k + 0.5) + 1/(n - k + 0.5) + v (1/(k + 0.5)^2 + 1/(n - k + 0.5)^2)
    successes       k, successful trials
    trials          n, successes plus the failures that count against the model
    noise_variance  v, variance of the privacy noise in the successes, and of that in the failures; 0 without noise
    Example: log_odds_variance('45', '50', '2') is 0.27087797317567547
-#}
{% macro log_odds_variance(successes, trials, noise_variance='0') -%}
    {%- set won = '(' ~ at_least(double(successes), '0e0') ~ ' + 0.5)' -%}
    {%- set lost = '(' ~ at_least(double(trials) ~ ' - ' ~ double(successes), '0e0') ~ ' + 0.5)' -%}
    (case
        when {{ trials }} > 0
            then 1 / {{ won }} + 1 / {{ lost }}
                + {{ double(noise_variance) }} * (1 / ({{ won }} * {{ won }}) + 1 / ({{ lost }} * {{ lost }}))
    end)
{%- endmacro %}
