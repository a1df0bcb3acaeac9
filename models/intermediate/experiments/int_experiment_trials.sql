with outcomes as (

    select * from {{ ref('int_experiment_outcomes') }}

),

attributions as (

    select * from {{ ref('int_error_types') }}

),

trials as (

    select
        outcomes.experiment_id,
        outcomes.arm,
        outcomes.outcome_id,
        outcomes.task_type,
        outcomes.task_id,
        outcomes.occurred_at,
        outcomes.outcome_date,
        outcomes.is_success,
        outcomes.tokens_used,
        outcomes.is_metered,
        outcomes.cost_nano_usd,
        outcomes.is_priced
    from outcomes
    left join attributions on outcomes.error_type = attributions.error_type
    where
        outcomes.is_checkpoint = 0
        and (outcomes.is_success = 1 or coalesce(attributions.attribution, 'model') <> 'infrastructure')

)

select * from trials
