with totals as (

    select * from {{ ref('int_outcomes_totals') }}

),

-- Not aggregated: a group by would read a whole index of the log instead of only the rows after the totals. Times stay
-- as recorded and costs are not squared, so that a query for one task type does not wait for the arithmetic of all
-- others.
newer_outcomes as (

    select * from {{ ref('stg_model_outcomes') }}
    where {{ is_newer(
        '(select coalesce(max(totals.last_outcome_id), 0) from ' ~ ref('int_outcomes_totals') ~ ' as totals)'
    ) }}

),

newer_effects as (

    select * from {{ ref('int_correction_effects') }}
    where {{ is_newer(
        '(select coalesce(max(totals.last_correction_id), 0) from ' ~ ref('int_outcomes_totals') ~ ' as totals)', 'correction_id'
    ) }}

),

balances as (

    select * from {{ ref('int_legacy_balances') }}

),

aliases as (

    select * from {{ ref('model_aliases') }}

),

attributions as (

    select * from {{ ref('int_error_types') }}

),

combined as (

    select
        task_type,
        model_id,
        error_type,
        is_success,
        0 as is_legacy,
        outcomes,
        timeouts,
        metered_outcomes,
        priced_outcomes,
        tokens_used,
        tokens_carry,
        cost_nano_usd,
        cost_carry,
        -- The rest of a difference of doubles is not quite 0.
        case when outcomes = 0 then 0e0 else cost_usd_squared end as cost_usd_squared,
        first_used,
        last_used,
        null as timestamp_text
    from totals
    union all
    select
        task_type,
        model_id,
        error_type,
        is_success,
        0 as is_legacy,
        1 as outcomes,
        is_timeout as timeouts,
        is_metered as metered_outcomes,
        is_priced as priced_outcomes,
        {{ rest_of('tokens_used') }} as tokens_used,
        {{ carry_of('tokens_used') }} as tokens_carry,
        {{ rest_of('cost_nano_usd') }} as cost_nano_usd,
        {{ carry_of('cost_nano_usd') }} as cost_carry,
        null as cost_usd_squared,
        null as first_used,
        null as last_used,
        timestamp_text
    from newer_outcomes
    union all
    select
        task_type,
        model_id,
        error_type,
        is_success,
        0 as is_legacy,
        weight as outcomes,
        weight * is_timeout as timeouts,
        weight * is_metered as metered_outcomes,
        weight * is_priced as priced_outcomes,
        weight * {{ rest_of('tokens_used') }} as tokens_used,
        weight * {{ carry_of('tokens_used') }} as tokens_carry,
        weight * {{ rest_of('cost_nano_usd') }} as cost_nano_usd,
        weight * {{ carry_of('cost_nano_usd') }} as cost_carry,
        weight * ({{ double('cost_nano_usd') }} / 1e9) * ({{ double('cost_nano_usd') }} / 1e9) as cost_usd_squared,
        null as first_used,
        null as last_used,
        null as timestamp_text
    from newer_effects
    union all
    select
        task_type,
        model_id,
        '' as error_type,
        is_success,
        1 as is_legacy,
        outcomes,
        timeouts,
        0 as metered_outcomes,
        0 as priced_outcomes,
        tokens_used,
        tokens_carry,
        cost_nano_usd,
        cost_carry,
        0e0 as cost_usd_squared,
        null as first_used,
        last_used,
        null as timestamp_text
    from balances

),

attributed as (

    select
        combined.task_type,
        coalesce(aliases.model_id, combined.model_id) as model_id,
        combined.model_id as recorded_model_id,
        combined.error_type,
        combined.is_success,
        combined.is_legacy,
        case
            when combined.is_success = 0 and attributions.attribution = 'infrastructure' then 0
            else 1
        end as is_trial,
        case
            when combined.is_success = 0 and combined.error_type <> '' and attributions.attribution is null then 1
            else 0
        end as has_unknown_cause,
        combined.outcomes,
        combined.timeouts,
        combined.metered_outcomes,
        combined.priced_outcomes,
        combined.tokens_used,
        combined.tokens_carry,
        combined.cost_nano_usd,
        combined.cost_carry,
        combined.cost_usd_squared,
        combined.first_used,
        combined.last_used,
        combined.timestamp_text
    from combined
    left join aliases on combined.model_id = aliases.alias
    left join attributions on combined.error_type = attributions.error_type

)

select * from attributed
