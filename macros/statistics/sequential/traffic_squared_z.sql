{#-
    Squared z of the challenger's number of trials against its declared share: a sample ratio mismatch, how far the
    traffic is from the share that the experiment declares. Null without trials, or if the share is 0 or 1.

    Formula: (k - n s)^2 / (n s (1 - s))
    challenger_trials  k, the challenger's trials
    trials             n, trials of both arms
    challenger_share   s, declared share of the challenger, 0..1
    Example: traffic_squared_z('230', '400', '0.5') is 9.0
-#}
{% macro traffic_squared_z(challenger_trials, trials, challenger_share) -%}
    {%- set n, share = double(trials), double(challenger_share) -%}
    {{ squared_z(double(challenger_trials) ~ ' - ' ~ share ~ ' * ' ~ n, n ~ ' * ' ~ share ~ ' * (1 - ' ~ share ~ ')') }}
{%- endmacro %}
