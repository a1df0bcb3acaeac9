with tied as (

    select * from {{ ref('int_rank_days_tied') }}

),

-- A model that is eligible stays eligible: its days are consecutive days of its task type.
followed as (

    select
        *,
        coalesce(lag(is_tied) over (partition by task_type, model_id order by outcome_date), 0) as was_tied,
        lag(leader_model_id) over (partition by task_type, model_id order by outcome_date) as leader_before
    from tied

),

-- A model that is new on that day has no previous leader; the other models have one.
compared as (

    select
        *,
        max(leader_before) over of_the_day as previous_leader_model_id,
        sum(is_tied) over of_the_day as tied_models,
        max(case when is_tied <> was_tied then 1 else 0 end) over of_the_day as is_new_tied_set
    from followed
    window of_the_day as (partition by task_type, outcome_date)

)

select * from compared
