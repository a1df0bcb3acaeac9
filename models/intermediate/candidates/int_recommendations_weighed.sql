with rankings as (

    select * from {{ ref('model_rankings') }}

),

drifts as (

    select * from {{ ref('int_drifts_standing') }}

),

weighed as (

    select
        task_types.*,
        counts.is_degenerate,
        counts.tried_models,
        counts.well_tried_models,
        coalesce(alternatives.likely_alternatives, 0) as likely_alternatives,
        coalesce(alternatives.too_little_tried_models, 0) as too_little_tried_models,
        coalesce(compared_models.trials, 0) as compared_trials,
        compared_models.successes as compared_successes,
        compared_drifts.drifting_since as compared_drifting_since,
        leader_drifts.drifting_since as leader_drifting_since,
        comparisons.verdict,
        comparisons.first_decided_at,
        comparisons.incumbent_trials as decided_incumbent_trials,
        comparisons.incumbent_wins as decided_incumbent_wins,
        comparisons.challenger_trials as decided_leader_trials,
        comparisons.challenger_wins as decided_leader_wins,
        comparisons.difference as decided_difference,
        comparisons.difference_lower as decided_difference_lower,
        comparisons.difference_upper as decided_difference_upper,
        comparisons.e_value as decided_e_value,
        likely.likely_model_id, likely.likely_trials, likely.likely_successes,
        likely.likely_difference, likely.likely_e_value, likely.likely_trials_to_separate
    from {{ ref('int_compared_models') }} as task_types
    inner join {{ ref('int_task_types_counted') }} as counts on task_types.task_type = counts.task_type
    left join {{ ref('int_alternatives_counted') }} as alternatives on task_types.task_type = alternatives.task_type
    left join {{ ref('int_alternatives_likeliest') }} as likely on task_types.task_type = likely.task_type
    left join {{ ref('ab_comparisons') }} as comparisons
        on task_types.task_type = comparisons.task_type and comparisons.is_declared = 0
    left join rankings as compared_models
        on task_types.task_type = compared_models.task_type and task_types.compared_model_id = compared_models.model_id
    left join drifts as compared_drifts
        on task_types.task_type = compared_drifts.task_type and task_types.compared_model_id = compared_drifts.model_id
    left join drifts as leader_drifts
        on task_types.task_type = leader_drifts.task_type and task_types.leader_model_id = leader_drifts.model_id

)

select * from weighed
