with tries as (

    select
        *,
        row_number() over (
            partition by experiment_id, task_type, task_id, arm
            order by occurred_at, outcome_id
        ) as attempt
    from {{ ref('int_experiment_trials') }}
    where task_id is not null

),

-- A task counts from the day on which the second arm tried it.
shared as (

    select
        experiment_id,
        task_type,
        task_id,
        max(outcome_date) as outcome_date,
        max(case when arm = 'incumbent' then is_success end) as incumbent_succeeded,
        max(case when arm = 'challenger' then is_success end) as challenger_succeeded
    from tries
    where attempt = 1
    group by experiment_id, task_type, task_id
    having count(*) = 2

)

select * from shared
