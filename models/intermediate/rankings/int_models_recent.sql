with days as (

    select * from {{ ref('int_model_days_counted') }}
    where outcome_date <= {{ last_day() }}

),

last_days as (

    select
        task_type,
        max(outcome_date) as last_date
    from days
    group by task_type

),

counted as (

    select
        days.task_type,
        days.model_id,
        sum(days.trials) as trials
    from days
    inner join last_days on days.task_type = last_days.task_type
    where days.outcome_date > {{ days_after('last_days.last_date', '-' ~ var('incumbent_days')) }}
    group by days.task_type, days.model_id

)

select * from counted
