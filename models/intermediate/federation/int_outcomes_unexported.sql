with outcomes as (

    select * from {{ ref('int_outcomes_publishable') }}

),

covered as (

    select
        is_opening,
        task_type,
        model_id,
        max(window_last_day) as last_day
    from {{ ref('int_exports_current') }}
    group by is_opening, task_type, model_id

),

unexported as (

    select outcomes.*
    from outcomes
    left join covered
        on
            outcomes.is_opening = covered.is_opening
            and outcomes.task_type = covered.task_type
            and outcomes.model_id = covered.model_id
    where covered.task_type is null or outcomes.outcome_date > covered.last_day

)

select * from unexported
