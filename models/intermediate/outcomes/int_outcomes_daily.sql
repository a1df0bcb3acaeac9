with new_outcomes as (

    select * from {{ ref('stg_model_outcomes') }}
    where {{ is_newer(rolled_up_to('last_outcome_id')) }}

),

new_effects as (

    select * from {{ ref('int_correction_effects') }}
    where {{ is_newer(rolled_up_to('last_correction_id'), 'correction_id') }}

),

-- A correction moves the mark of corrections only, so its outcome is counted once as well.
combined as (

    select
        1 as weight,
        outcome_id,
        cast(null as bigint) as correction_id,
        outcome_date,
        task_type,
        model_id,
        coalesce(agent, '') as agent,
        coalesce(effort, '') as effort,
        coalesce(variant, '') as variant,
        error_type,
        is_success,
        is_timeout,
        tokens_used,
        is_metered,
        cost_nano_usd,
        is_priced
    from new_outcomes
    union all
    select
        weight,
        cast(null as bigint) as outcome_id,
        correction_id,
        outcome_date,
        task_type,
        model_id,
        coalesce(agent, '') as agent,
        coalesce(effort, '') as effort,
        coalesce(variant, '') as variant,
        error_type,
        is_success,
        is_timeout,
        tokens_used,
        is_metered,
        cost_nano_usd,
        is_priced
    from new_effects

),

totalled_by_day as (

    select
        outcome_date,
        task_type,
        model_id,
        agent,
        effort,
        variant,
        error_type,
        is_success,
        sum(weight) as outcomes,
        sum(weight * is_timeout) as timeouts,
        sum(weight * is_metered) as metered_outcomes,
        sum(weight * is_priced) as priced_outcomes,
        sum(weight * {{ rest_of('tokens_used') }}) as tokens_used,
        sum(weight * {{ carry_of('tokens_used') }}) as tokens_carry,
        sum(weight * {{ double('tokens_used') }} * tokens_used) as tokens_squared,
        sum(weight * {{ rest_of('cost_nano_usd') }}) as cost_nano_usd,
        sum(weight * {{ carry_of('cost_nano_usd') }}) as cost_carry,
        sum(
            weight * ({{ double('cost_nano_usd') }} / 1e9) * ({{ double('cost_nano_usd') }} / 1e9)
        ) as cost_usd_squared,
        max(outcome_id) as last_outcome_id,
        max(correction_id) as last_correction_id
    from combined
    group by outcome_date, task_type, model_id, agent, effort, variant, error_type, is_success

)

select * from totalled_by_day
