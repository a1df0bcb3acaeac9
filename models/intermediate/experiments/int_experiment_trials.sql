with outcomes as (

    select * from {{ ref('int_experiment_outcomes') }}

),

verdicts as (

    select * from {{ ref('int_verdicts_corrected') }}

),

corrected as (

    select
        outcomes.experiment_id,
        outcomes.arm,
        outcomes.outcome_id,
        outcomes.task_type,
        outcomes.task_id,
        outcomes.agent,
        outcomes.effort,
        outcomes.variant,
        outcomes.error_type,
        outcomes.occurred_at,
        outcomes.outcome_date,
        case
            when verdicts.verdict is null then outcomes.is_success
            when verdicts.verdict = 'success' then 1
            else 0
        end as is_success,
        outcomes.tokens_used,
        outcomes.is_metered,
        outcomes.cost_nano_usd,
        outcomes.is_priced
    from outcomes
    left join verdicts on outcomes.outcome_id = verdicts.outcome_id
    where outcomes.is_checkpoint = 0 and coalesce(verdicts.verdict, '') <> 'void'

),

attributions as (

    select * from {{ ref('int_error_types') }}

),

trials as (

    select
        corrected.experiment_id,
        corrected.arm,
        corrected.outcome_id,
        corrected.task_type,
        corrected.task_id,
        corrected.agent,
        corrected.effort,
        corrected.variant,
        corrected.occurred_at,
        corrected.outcome_date,
        corrected.is_success,
        corrected.tokens_used,
        corrected.is_metered,
        corrected.cost_nano_usd,
        corrected.is_priced
    from corrected
    left join attributions on corrected.error_type = attributions.error_type
    where corrected.is_success = 1 or coalesce(attributions.attribution, 'model') <> 'infrastructure'

)

select * from trials
