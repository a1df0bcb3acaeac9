{#-
    The parameter r of the boundary, in trials. It makes the boundary tightest near N = sequential_tuning_trials, of
    which each mode has its own value.

    Formula: N / (ln(1 - 2 ln(alpha)) - 2 ln(alpha))
    Example: sequential_tuning() is 126.0056097925634
-#}
{% macro sequential_tuning() -%}
    {%- set tuning_trials = var('sequential_tuning_trials')[var('sequential_mode')] -%}
    {%- set alpha = double(var('alpha')) -%}
    ({{ double(tuning_trials) }} / (ln(1 - 2 * ln({{ alpha }})) - 2 * ln({{ alpha }})))
{%- endmacro %}
