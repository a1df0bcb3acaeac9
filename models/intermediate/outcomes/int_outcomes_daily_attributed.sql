-- A cell without an outcome, because corrections took them all, is left out.
with daily as (

    select * from {{ ref('int_outcomes_daily') }}
    where outcomes <> 0

),

-- Not aggregated, as in int_outcomes_attributed.
newer_outcomes as (

    select * from {{ ref('stg_model_outcomes') }}
    where {{ is_newer(
        '(select coalesce(max(daily.last_outcome_id), 0) from ' ~ ref('int_outcomes_daily') ~ ' as daily)'
    ) }}

),

newer_effects as (

    select * from {{ ref('int_correction_effects') }}
    where {{ is_newer(
        '(select coalesce(max(daily.last_correction_id), 0) from ' ~ ref('int_outcomes_daily') ~ ' as daily)', 'correction_id'
    ) }}

),

aliases as (

    select * from {{ ref('model_aliases') }}

),

attributions as (

    select * from {{ ref('int_error_types') }}

),

combined as (

    select
        outcome_date,
        task_type,
        model_id,
        agent,
        effort,
        variant,
        error_type,
        is_success,
        outcomes,
        timeouts,
        metered_outcomes,
        priced_outcomes,
        tokens_used,
        tokens_carry,
        tokens_squared,
        cost_nano_usd,
        cost_carry,
        cost_usd_squared
    from daily
    union all
    select
        outcome_date,
        task_type,
        model_id,
        coalesce(agent, '') as agent,
        coalesce(effort, '') as effort,
        coalesce(variant, '') as variant,
        error_type,
        is_success,
        1 as outcomes,
        is_timeout as timeouts,
        is_metered as metered_outcomes,
        is_priced as priced_outcomes,
        {{ rest_of('tokens_used') }} as tokens_used,
        {{ carry_of('tokens_used') }} as tokens_carry,
        {{ double('tokens_used') }} * tokens_used as tokens_squared,
        {{ rest_of('cost_nano_usd') }} as cost_nano_usd,
        {{ carry_of('cost_nano_usd') }} as cost_carry,
        ({{ double('cost_nano_usd') }} / 1e9) * ({{ double('cost_nano_usd') }} / 1e9) as cost_usd_squared
    from newer_outcomes
    union all
    select
        outcome_date,
        task_type,
        model_id,
        coalesce(agent, '') as agent,
        coalesce(effort, '') as effort,
        coalesce(variant, '') as variant,
        error_type,
        is_success,
        weight as outcomes,
        weight * is_timeout as timeouts,
        weight * is_metered as metered_outcomes,
        weight * is_priced as priced_outcomes,
        weight * {{ rest_of('tokens_used') }} as tokens_used,
        weight * {{ carry_of('tokens_used') }} as tokens_carry,
        weight * {{ double('tokens_used') }} * tokens_used as tokens_squared,
        weight * {{ rest_of('cost_nano_usd') }} as cost_nano_usd,
        weight * {{ carry_of('cost_nano_usd') }} as cost_carry,
        weight * ({{ double('cost_nano_usd') }} / 1e9) * ({{ double('cost_nano_usd') }} / 1e9) as cost_usd_squared
    from newer_effects

),

attributed as (

    select
        combined.outcome_date,
        combined.task_type,
        coalesce(aliases.model_id, combined.model_id) as model_id,
        combined.model_id as recorded_model_id,
        combined.agent,
        combined.effort,
        combined.variant,
        combined.error_type,
        combined.is_success,
        case
            when combined.is_success = 0 and attributions.attribution = 'infrastructure' then 0
            else 1
        end as is_trial,
        combined.outcomes,
        combined.timeouts,
        combined.metered_outcomes,
        combined.priced_outcomes,
        combined.tokens_used,
        combined.tokens_carry,
        combined.tokens_squared,
        combined.cost_nano_usd,
        combined.cost_carry,
        combined.cost_usd_squared
    from combined
    left join aliases on combined.model_id = aliases.alias
    left join attributions on combined.error_type = attributions.error_type

)

select * from attributed
