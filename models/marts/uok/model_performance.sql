with counted as (

    select * from {{ ref('int_uok_outcomes_counted') }}

),

rated as (

    select
        task_type,
        model_id,
        successes,
        failures,
        {{ ratio('successes', 'successes + failures') }} as success_rate,
        {{ wilson_lower('successes', 'successes + failures') }} as success_rate_lower,
        {{ wilson_upper('successes', 'successes + failures') }} as success_rate_upper,
        {{ to_count('total_tokens', 'total_tokens_carry') }} as total_tokens,
        case when priced_outcomes > 0 then {{ to_usd('total_cost_nano_usd', 'total_cost_carry') }} end as total_cost,
        metered_outcomes,
        priced_outcomes,
        retries,
        escalations,
        verifications,
        verifications_passed,
        blockers,
        first_used,
        last_used
    from counted

)

select * from rated
