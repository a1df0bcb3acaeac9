{#-
    Half a success and half a failure are added, so that log odds exist if all trials succeeded or all failed. Noise can
    make counts negative.
-#}
{% macro log_odds(successes, trials) -%}
    {%- set won = at_least(double(successes), '0e0') -%}
    {%- set lost = at_least(double(trials) ~ ' - ' ~ double(successes), '0e0') -%}
    (case when {{ trials }} > 0 then ln(({{ won }} + 0.5) / ({{ lost }} + 0.5)) end)
{%- endmacro %}
