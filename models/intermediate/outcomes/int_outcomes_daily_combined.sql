with daily as (

    select * from {{ ref('int_outcomes_daily') }}

),

-- Not aggregated, as in int_outcomes_combined.
newer_outcomes as (

    select * from {{ ref('stg_model_outcomes') }}
    where {{ is_newer(
        '(select coalesce(max(daily.last_outcome_id), 0) from ' ~ ref('int_outcomes_daily') ~ ' as daily)'
    ) }}

),

combined as (

    select
        outcome_date, task_type, model_id, error_type, is_success,
        outcomes, timeouts, metered_outcomes, priced_outcomes,
        tokens_used, tokens_carry, tokens_squared, cost_nano_usd, cost_carry, cost_usd_squared
    from daily
    union all
    select
        outcome_date, task_type, model_id, error_type, is_success,
        1 as outcomes, is_timeout as timeouts, is_metered as metered_outcomes, is_priced as priced_outcomes,
        {{ rest_of('tokens_used') }} as tokens_used, {{ carry_of('tokens_used') }} as tokens_carry,
        {{ double('tokens_used') }} * tokens_used as tokens_squared,
        {{ rest_of('cost_nano_usd') }} as cost_nano_usd, {{ carry_of('cost_nano_usd') }} as cost_carry,
        (cost_nano_usd / 1e9) * (cost_nano_usd / 1e9) as cost_usd_squared
    from newer_outcomes

)

select * from combined
