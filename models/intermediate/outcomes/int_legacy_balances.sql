with balances as (

    select * from {{ ref('stg_legacy_model_stats') }}

),

-- The old tool kept one total of tokens and one of cost for successes and failures together. They are in the row of
-- successes; nothing that judges a model reads them.
by_verdict as (

    select
        task_type,
        model_id,
        1 as is_success,
        successes as outcomes,
        0 as timeouts,
        {{ rest_of('tokens_used') }} as tokens_used,
        {{ carry_of('tokens_used') }} as tokens_carry,
        {{ rest_of('cost_nano_usd') }} as cost_nano_usd,
        {{ carry_of('cost_nano_usd') }} as cost_carry,
        last_used
    from balances
    union all
    select
        task_type,
        model_id,
        0 as is_success,
        failures as outcomes,
        timeouts,
        0 as tokens_used,
        0 as tokens_carry,
        0 as cost_nano_usd,
        0 as cost_carry,
        last_used
    from balances

)

select * from by_verdict
