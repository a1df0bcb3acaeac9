{# The part of the log that int_experiment_outcomes has searched. #}


{# The id of the last outcome that it has searched for an arm, as a scalar subquery; 0 if the arm is new or its
   definition has changed. The arm is a row of int_experiment_arms, called `arms`. #}
{% macro arm_seen_to() -%}
    {{ rolled_up_to('outcome_id', where="rolled_up.experiment_id = arms.experiment_id"
        " and rolled_up.definition = arms.definition and rolled_up.recorded_model_id = arms.recorded_model_id"
    ) }}
{%- endmacro %}


{# The id up to which it has searched the log for every arm, as a scalar subquery; 0 if one arm is new, and null if there
   are no arms. #}
{% macro least_seen_to() -%}
    (
        select min(seen.seen_to)
        from (select {{ arm_seen_to() }} as seen_to from {{ ref('int_experiment_arms') }} as arms) as seen
    )
{%- endmacro %}
