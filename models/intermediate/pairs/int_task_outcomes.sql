with outcomes as (

    select * from {{ ref('stg_model_outcomes') }}
    where {{ is_newer(rolled_up_to('outcome_id')) }}

),

-- All outcomes of a task are in the block of its first one, so that a build reads only the blocks of the tasks that
-- were tried again.
placed as (

    select
        outcomes.outcome_id,
        0 as is_checkpoint,
        outcomes.task_type,
        outcomes.task_id,
        coalesce(
            nullif({{ rolled_up_to(
                'task_block',
                where='rolled_up.task_type = outcomes.task_type and rolled_up.task_id = outcomes.task_id'
            ) }}, 0),
            cast(
                floor(min(outcomes.outcome_id) over (partition by outcomes.task_type, outcomes.task_id) / 1e4) as bigint
            ) + 1
        ) as task_block,
        outcomes.model_id,
        coalesce(outcomes.agent, '') as agent,
        coalesce(outcomes.effort, '') as effort,
        coalesce(outcomes.variant, '') as variant,
        outcomes.error_type,
        outcomes.is_success,
        outcomes.occurred_at,
        outcomes.outcome_date
    from outcomes
    where outcomes.task_id is not null

),

-- The outcome up to which the log was searched. The next build starts there, even if no outcome names a task.
newest as (

    select max(outcome_id) as outcome_id from outcomes

),

checkpoint as (

    select
        outcome_id,
        1 as is_checkpoint,
        '' as task_type,
        '' as task_id,
        cast(0 as bigint) as task_block,
        '' as model_id,
        '' as agent,
        '' as effort,
        '' as variant,
        '' as error_type,
        cast(0 as bigint) as is_success,
        '' as occurred_at,
        '' as outcome_date
    from newest
    where outcome_id is not null

),

combined as (

    select * from placed
    union all
    select * from checkpoint

)

select * from combined
