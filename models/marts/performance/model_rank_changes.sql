with leaders as (

    select
        *,
        lag(model_id) over (partition by task_type order by outcome_date) as previous_leader_model_id
    from {{ ref('int_rank_days_ordered') }}
    where rank = 1

),

changes as (

    select
        task_type,
        outcome_date,
        model_id as leader_model_id,
        previous_leader_model_id,
        trials as leader_trials,
        success_rate as leader_success_rate,
        success_rate_lower as leader_success_rate_lower
    from leaders
    where previous_leader_model_id is null or model_id <> previous_leader_model_id

)

select * from changes
