{#-
    Variance of one project's observed rate around its true rate; null without trials. Noise in either count adds
    variance by the delta method.

    Formula: m (1 - m)/n + v (m^2 + (1 - m)^2)/n^2
    pooled_rate     m, the expected rate of a trial
    trials          n, successes plus the failures that count against the model
    noise_variance  v, variance of the privacy noise in the successes, and of that in the failures; 0 without noise
    Example: project_variance('0.8', '20', '2') is 0.0114
-#}
{% macro project_variance(pooled_rate, trials, noise_variance) -%}
    {%- set m, n = double(pooled_rate), double(trials) -%}
    (
        {{ ratio(m ~ ' * (1 - ' ~ m ~ ')', n) }}
        + {{ ratio(double(noise_variance) ~ ' * (' ~ m ~ ' * ' ~ m ~ ' + (1 - ' ~ m ~ ') * (1 - ' ~ m ~ '))', n ~ ' * ' ~ n) }}
    )
{%- endmacro %}
