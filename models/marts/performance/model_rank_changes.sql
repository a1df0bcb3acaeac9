with days as (

    select
        *,
        case when leader_model_id = previous_leader_model_id then 0 else 1 end as is_new_leader
    from {{ ref('int_rank_days_compared') }}

),

changed as (

    select * from days
    where is_new_leader = 1 or is_new_tied_set = 1

),

listed as (

    select
        *,
        {{ listed('case when is_tied = 1 then model_id end', 'task_type, outcome_date', 'model_id') }}
            as tied_model_ids,
        {{ listed('case when is_tied > was_tied then model_id end', 'task_type, outcome_date', 'model_id') }}
            as joined_model_ids,
        {{ listed('case when is_tied < was_tied then model_id end', 'task_type, outcome_date', 'model_id') }}
            as left_model_ids
    from changed

),

-- All rows of a day have the same lists, so the leader's row is used for the day.
changes as (

    select
        task_type,
        outcome_date,
        leader_model_id,
        previous_leader_model_id,
        is_new_leader,
        is_new_tied_set,
        trials as leader_trials,
        success_rate as leader_success_rate,
        success_rate_lower as leader_success_rate_lower,
        tied_models,
        tied_model_ids,
        joined_model_ids,
        left_model_ids
    from listed
    where rank = 1

)

select * from changes
