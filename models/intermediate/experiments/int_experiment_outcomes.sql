with arms as (

    select arms.*, {{ arm_seen_to() }} as seen_to from {{ ref('int_experiment_arms') }} as arms

),

outcomes as (

    select * from {{ ref('stg_model_outcomes') }}
    where {{ is_newer(least_seen_to()) }}

),

-- An outcome that names an experiment belongs to that experiment and to no other, at any time.
matched as (

    select
        arms.experiment_id,
        arms.definition,
        arms.recorded_model_id,
        0 as is_checkpoint,
        outcomes.outcome_id,
        arms.arm,
        outcomes.task_type,
        outcomes.task_id,
        coalesce(outcomes.agent, '') as agent,
        coalesce(outcomes.effort, '') as effort,
        coalesce(outcomes.variant, '') as variant,
        outcomes.error_type,
        outcomes.occurred_at,
        outcomes.outcome_date,
        outcomes.is_success,
        outcomes.tokens_used,
        outcomes.is_metered,
        outcomes.cost_nano_usd,
        outcomes.is_priced
    from outcomes
    -- The cross join keeps the new outcomes in the outer loop; otherwise SQLite would build an index of the whole log
    -- by model.
    cross join arms
    where
        outcomes.outcome_id > arms.seen_to
        and outcomes.model_id = arms.recorded_model_id
        and outcomes.task_type = coalesce(arms.task_type, outcomes.task_type)
        and (
            outcomes.experiment_id = arms.experiment_id
            or (
                outcomes.experiment_id is null and outcomes.occurred_at >= arms.started_at
                and outcomes.occurred_at < coalesce(arms.ended_at, '9999')
            )
        )

),

newest as (

    select max(outcome_id) as outcome_id from {{ ref('stg_model_outcomes') }}
    where {{ is_newer(least_seen_to()) }}

),

-- The position up to which the log was searched for an arm. The next build starts there, even if no outcome matched. A
-- new row is written if the log grew.
checkpoints as (

    select
        arms.experiment_id,
        arms.definition,
        arms.recorded_model_id,
        1 as is_checkpoint,
        newest.outcome_id,
        arms.arm,
        null as task_type,
        null as task_id,
        null as agent,
        null as effort,
        null as variant,
        null as error_type,
        null as occurred_at,
        null as outcome_date,
        cast(null as bigint) as is_success,
        cast(null as bigint) as tokens_used,
        cast(null as bigint) as is_metered,
        cast(null as bigint) as cost_nano_usd,
        cast(null as bigint) as is_priced
    from arms
    inner join newest on arms.seen_to < newest.outcome_id

),

combined as (

    select * from matched
    union all
    select * from checkpoints

)

select * from combined
