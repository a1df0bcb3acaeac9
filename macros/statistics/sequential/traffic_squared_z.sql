{#- Sample ratio mismatch: how far the traffic is from the share that the experiment declares. -#}
{% macro traffic_squared_z(challenger_trials, trials, challenger_share) -%}
    {%- set n, share = double(trials), double(challenger_share) -%}
    {{ squared_z(double(challenger_trials) ~ ' - ' ~ share ~ ' * ' ~ n, n ~ ' * ' ~ share ~ ' * (1 - ' ~ share ~ ')') }}
{%- endmacro %}
