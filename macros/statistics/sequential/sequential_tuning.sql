{#- Makes the boundary tightest near sequential_tuning_trials; each mode has its own number of them. -#}
{% macro sequential_tuning() -%}
    {%- set tuning_trials = var('sequential_tuning_trials')[var('sequential_mode')] -%}
    {%- set alpha = double(var('alpha')) -%}
    ({{ double(tuning_trials) }} / (ln(1 - 2 * ln({{ alpha }})) - 2 * ln({{ alpha }})))
{%- endmacro %}
