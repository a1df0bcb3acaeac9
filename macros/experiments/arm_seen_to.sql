{# The id up to which int_experiment_outcomes has searched the log for an arm. #}
{% macro arm_seen_to() -%}
    {{ rolled_up_to('outcome_id', where="rolled_up.experiment_id = arms.experiment_id"
        " and rolled_up.definition = arms.definition and rolled_up.recorded_model_id = arms.recorded_model_id"
    ) }}
{%- endmacro %}
