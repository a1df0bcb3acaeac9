with counted as (

    select * from {{ ref('int_outcomes_counted') }}

),

rated as (

    select
        task_type,
        model_id,
        successes,
        failures,
        timeouts,
        infrastructure_failures,
        {{ to_usd('infrastructure_cost_nano_usd') }} as infrastructure_cost,
        trials,
        {{ ratio('successes', 'trials') }} as success_rate,
        {{ wilson_lower('successes', 'trials') }} as success_rate_lower,
        {{ wilson_upper('successes', 'trials') }} as success_rate_upper,
        total_tokens,
        {{ to_usd('total_cost_nano_usd') }} as total_cost,
        {{ ratio('metered_tokens', 'metered_trials') }} as avg_tokens,
        {{ ratio(to_usd('priced_cost_nano_usd'), 'priced_trials') }} as avg_cost,
        metered_trials,
        priced_trials,
        {{ ratio(to_usd('priced_cost_nano_usd'), 'priced_successes') }} as cost_per_success,
        first_used,
        last_used,
        legacy_successes,
        legacy_failures
    from counted

)

select * from rated
