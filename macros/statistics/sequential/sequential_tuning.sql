{#- Makes the boundary tightest near sequential_tuning_trials. Each mode has its own value. -#}
{% macro sequential_tuning() -%}
    {%- set tuning_trials = var('sequential_tuning_trials')[var('sequential_mode')] -%}
    {%- set alpha = double(var('alpha')) -%}
    ({{ double(tuning_trials) }} / (ln(1 - 2 * ln({{ alpha }})) - 2 * ln({{ alpha }})))
{%- endmacro %}
