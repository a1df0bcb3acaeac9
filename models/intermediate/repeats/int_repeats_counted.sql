with tasks as (

    select
        task_type,
        model_id,
        agent,
        effort,
        variant,
        trials as tries,
        successes
    from {{ ref('int_strata_counted') }}
    where stratum_kind = 'task' and configuration_number > 0

),

-- All figures depend on the tries and successes of a task alone, so few rows are left.
counted as (

    select
        task_type,
        model_id,
        agent,
        effort,
        variant,
        tries,
        successes,
        count(*) as tasks
    from tasks
    group by task_type, model_id, agent, effort, variant, tries, successes

),

sized as (

    select
        *,
        max(tries) over (partition by task_type, model_id, agent, effort, variant) as most_tries
    from counted

),

repeated as (

    select
        task_type,
        model_id,
        agent,
        effort,
        variant,
        tries,
        successes,
        tasks
    from sized
    where most_tries > 1

)

select * from repeated
