with counted as (

    select * from {{ ref('int_outcomes_counted') }}

),

costed as (

    select
        *,
        {{ cost_per_success(to_usd('priced_cost_nano_usd', 'priced_cost_carry'), 'priced_successes') }}
            as cost_per_success,
        {{ cost_per_success_error(
            'priced_trials',
            'priced_successes',
            to_usd('priced_cost_nano_usd', 'priced_cost_carry'),
            'priced_cost_usd_squared',
            to_usd('priced_success_cost_nano_usd', 'priced_success_cost_carry')
        ) }} as cost_per_success_error
    from counted

),

rated as (

    select
        task_type,
        model_id,
        successes,
        failures,
        timeouts,
        infrastructure_failures,
        case
            when is_priced = 1 and (infrastructure_failures = 0 or has_priced_infrastructure_failure = 1)
                then {{ to_usd('infrastructure_cost_nano_usd', 'infrastructure_cost_carry') }}
        end as infrastructure_cost,
        trials,
        {{ ratio('successes', 'trials') }} as success_rate,
        {{ wilson_lower('successes', 'trials') }} as success_rate_lower,
        {{ wilson_upper('successes', 'trials') }} as success_rate_upper,
        {{ to_count('total_tokens', 'total_tokens_carry') }} as total_tokens,
        case when is_priced = 1 then {{ to_usd('total_cost_nano_usd', 'total_cost_carry') }} end as total_cost,
        {{ ratio(to_double('metered_tokens', 'metered_tokens_carry'), 'metered_trials') }} as avg_tokens,
        {{ ratio(to_usd('priced_cost_nano_usd', 'priced_cost_carry'), 'priced_trials') }} as avg_cost,
        metered_trials,
        priced_trials,
        cost_per_success,
        {{ cost_per_success_lower('cost_per_success', 'cost_per_success_error') }} as cost_per_success_lower,
        {{ cost_per_success_upper('cost_per_success', 'cost_per_success_error') }} as cost_per_success_upper,
        first_used,
        last_used,
        legacy_successes,
        legacy_failures,
        {{ ratio('infrastructure_failures', 'successes + failures') }} as lost_share,
        case
            when
                infrastructure_failures >= {{ var('lost_attempts_caveat') }}
                and {{ ratio('infrastructure_failures', 'successes + failures') }}
                >= {{ double(var('lost_share_caveat')) }}
                then 1
            else 0
        end as has_many_lost_attempts
    from costed

)

select * from rated
