{#-
    Evidence that a model is worse than the incumbent by more than the var demotion_margin; 0 if the difference is
    within it. One-sided, because with a two-sided e-value far better models would enlarge the list of worse ones.

    Formula: e_value of (difference + demotion_margin)^2 / squared_error, if difference + demotion_margin < 0
    difference     the model's success rate minus the incumbent's
    squared_error  squared standard error of the difference
    trials         trials of both models
    Example: demotion_e_value('-0.1', '0.0012', '600') is 13.038205162249811
-#}
{% macro demotion_e_value(difference, squared_error, trials) -%}
    {%- set beyond_margin = double(difference) ~ ' + ' ~ double(var('demotion_margin')) -%}
    (case
        when {{ beyond_margin }} < 0 then {{ e_value(squared_z(beyond_margin, squared_error), trials) }}
        when {{ beyond_margin }} >= 0 then 0e0
    end)
{%- endmacro %}
