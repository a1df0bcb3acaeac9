with corrections as (

    select * from {{ ref('stg_outcome_corrections') }}
    where verdict <> previous_verdict

),

sides as (

    select -1 as weight
    union all
    select 1 as weight

),

outcomes as (

    select * from {{ ref('stg_model_outcomes') }}

),

-- The cross joins keep the corrections in the outer loop: SQLite then looks up their outcomes by number.
sided as (

    select
        corrections.correction_id,
        sides.weight,
        case when sides.weight = 1 then corrections.verdict else corrections.previous_verdict end as verdict,
        outcomes.*
    from corrections
    cross join sides
    cross join outcomes
    where corrections.outcome_id = outcomes.outcome_id

),

effects as (

    select
        correction_id,
        weight,
        outcome_id,
        outcome_date,
        task_type,
        model_id,
        agent,
        effort,
        variant,
        error_type,
        case when verdict = 'success' then 1 else 0 end as is_success,
        is_timeout,
        tokens_used,
        is_metered,
        cost_nano_usd,
        is_priced
    from sided
    where verdict <> 'void'

)

select * from effects
