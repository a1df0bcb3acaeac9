with rankings as (

    select * from {{ ref('model_rankings') }}

),

task_types as (

    select
        task_type,
        max(is_degenerate) as is_degenerate,
        count(case when trials > 0 then 1 end) as tried_models,
        count(case when is_too_little_tried = 0 then 1 end) as well_tried_models
    from rankings
    group by task_type

),

current_incumbents as (

    select * from {{ ref('int_incumbents') }}

),

leaders as (

    select * from {{ ref('int_leaders') }}

),

leader_comparisons as (

    select * from {{ ref('ab_comparisons') }}
    where is_declared = 0

),

drifts as (

    select * from {{ ref('int_drifts_standing') }}

),

-- The likeliest first. Less than a thousandth of probability decides nothing, since engines round in their own way.
candidates as (

    select
        *,
        row_number() over (
            partition by task_type, is_too_little_tried
            order by floor(1000 * probability_best) desc, rank
        ) as place
    from {{ ref('ab_test_candidates') }}

),

candidate_counts as (

    select
        task_type,
        count(case when is_too_little_tried = 0 then 1 end) as likely_alternatives,
        count(case when is_too_little_tried = 1 then 1 end) as too_little_tried_models
    from candidates
    group by task_type

),

weighed as (

    select
        task_types.task_type,
        task_types.is_degenerate,
        task_types.tried_models,
        task_types.well_tried_models,
        coalesce(candidate_counts.likely_alternatives, 0) as likely_alternatives,
        coalesce(candidate_counts.too_little_tried_models, 0) as too_little_tried_models,
        current_incumbents.model_id as incumbent_model_id,
        current_incumbents.is_named as is_named_incumbent,
        leaders.model_id as leader_model_id,
        compared_models.model_id as compared_model_id,
        coalesce(compared_models.trials, 0) as compared_trials,
        compared_models.successes as compared_successes,
        compared_drifts.drifting_since as compared_drifting_since,
        leader_drifts.drifting_since as leader_drifting_since,
        leader_comparisons.verdict,
        leader_comparisons.first_decided_at,
        leader_comparisons.incumbent_trials as decided_incumbent_trials,
        leader_comparisons.incumbent_wins as decided_incumbent_wins,
        leader_comparisons.challenger_trials as decided_leader_trials,
        leader_comparisons.challenger_wins as decided_leader_wins,
        leader_comparisons.difference as decided_difference,
        leader_comparisons.difference_lower as decided_difference_lower,
        leader_comparisons.difference_upper as decided_difference_upper,
        leader_comparisons.e_value as decided_e_value,
        likely.model_id as likely_model_id,
        likely.trials as likely_trials,
        likely_models.successes as likely_successes,
        likely.difference as likely_difference,
        likely.e_value as likely_e_value,
        -- Of the leader the comparison with the incumbent knows how long it still takes.
        case
            when likely.model_id = leader_comparisons.challenger_model_id then leader_comparisons.trials_to_separate
            else likely.trials_to_separate
        end as likely_trials_to_separate
    from task_types
    left join current_incumbents on task_types.task_type = current_incumbents.task_type
    left join leaders on task_types.task_type = leaders.task_type
    left join leader_comparisons on task_types.task_type = leader_comparisons.task_type
    left join rankings as compared_models
        on
            task_types.task_type = compared_models.task_type
            and compared_models.model_id = coalesce(current_incumbents.model_id, leaders.model_id)
    left join drifts as compared_drifts
        on
            compared_models.task_type = compared_drifts.task_type
            and compared_models.model_id = compared_drifts.model_id
    left join drifts as leader_drifts
        on leaders.task_type = leader_drifts.task_type and leaders.model_id = leader_drifts.model_id
    left join candidate_counts on task_types.task_type = candidate_counts.task_type
    left join candidates as likely
        on task_types.task_type = likely.task_type and likely.is_too_little_tried = 0 and likely.place = 1
    left join rankings as likely_models
        on likely.task_type = likely_models.task_type and likely.model_id = likely_models.model_id

)

select * from weighed
