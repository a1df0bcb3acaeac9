with outcomes as (

    select * from {{ ref('stg_model_outcomes') }}

),

verdicts as (

    select * from {{ ref('int_verdicts_corrected') }}

),

corrected as (

    select
        outcomes.outcome_id,
        outcomes.event_id,
        outcomes.task_id,
        outcomes.experiment_id,
        outcomes.recorded_by,
        outcomes.task_type,
        outcomes.model_id,
        outcomes.error_type,
        case
            when verdicts.verdict is null then outcomes.is_success
            when verdicts.verdict = 'success' then 1
            else 0
        end as is_success,
        outcomes.is_timeout,
        outcomes.score,
        outcomes.agent,
        outcomes.effort,
        outcomes.variant,
        outcomes.attempt,
        outcomes.propensity,
        outcomes.attributes,
        outcomes.tokens_used,
        outcomes.is_metered,
        outcomes.cost_nano_usd,
        outcomes.is_priced,
        outcomes.duration_ms,
        outcomes.timestamp_text,
        outcomes.occurred_at,
        outcomes.outcome_date
    from outcomes
    left join verdicts on outcomes.outcome_id = verdicts.outcome_id
    where coalesce(verdicts.verdict, '') <> 'void'

)

select * from corrected
