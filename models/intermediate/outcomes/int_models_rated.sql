with outcomes as (

    select * from {{ ref('int_outcomes_attributed') }}

),

counted as (

    select
        task_type,
        model_id,
        sum(case when is_success = 1 then outcomes else 0 end) as successes,
        sum(case when is_success = 0 then outcomes else 0 end) as failures,
        sum(case when is_success = 0 then timeouts else 0 end) as timeouts,
        sum(case when is_success = 1 then timeouts else 0 end) as timed_out_successes,
        sum(case when is_trial = 0 then outcomes else 0 end) as infrastructure_failures,
        sum(case when is_trial = 0 then cost_nano_usd else 0 end) as infrastructure_cost_nano_usd,
        sum(case when is_trial = 0 then cost_carry else 0 end) as infrastructure_cost_carry,
        case
            when sum(case when is_trial = 0 then priced_outcomes else 0 end) > 0 then 1
            else 0
        end as has_priced_infrastructure_failure,
        sum(case when is_trial = 1 then outcomes else 0 end) as trials,
        sum(case when has_unknown_cause = 1 then outcomes else 0 end) as unknown_failures,
        sum(tokens_used) as total_tokens,
        sum(tokens_carry) as total_tokens_carry,
        sum(cost_nano_usd) as total_cost_nano_usd,
        sum(cost_carry) as total_cost_carry,
        -- An infrastructure failure that cost nothing shows no price of the model.
        case
            when sum(case when is_trial = 1 then priced_outcomes else 0 end) > 0 then 1
            when sum(cost_nano_usd) > 0 or sum(cost_carry) > 0 then 1
            else 0
        end as is_priced,
        sum(case when is_trial = 1 then metered_outcomes else 0 end) as metered_trials,
        sum(case when is_trial = 1 and is_legacy = 0 then tokens_used else 0 end) as metered_tokens,
        sum(case when is_trial = 1 and is_legacy = 0 then tokens_carry else 0 end) as metered_tokens_carry,
        sum(case when is_trial = 1 then priced_outcomes else 0 end) as priced_trials,
        sum(case when is_trial = 1 and is_success = 1 then priced_outcomes else 0 end) as priced_successes,
        sum(case when is_trial = 1 and is_legacy = 0 then cost_nano_usd else 0 end) as priced_cost_nano_usd,
        sum(case when is_trial = 1 and is_legacy = 0 then cost_carry else 0 end) as priced_cost_carry,
        sum(
            case
                when is_trial = 1 and is_legacy = 0
                    then coalesce(
                        cost_usd_squared,
                        {{ to_usd('cost_nano_usd', 'cost_carry') }} * {{ to_usd('cost_nano_usd', 'cost_carry') }}
                    )
                else 0
            end
        ) as priced_cost_usd_squared,
        sum(case when is_success = 1 and is_legacy = 0 then cost_nano_usd else 0 end) as priced_success_cost_nano_usd,
        sum(case when is_success = 1 and is_legacy = 0 then cost_carry else 0 end) as priced_success_cost_carry,
        min(coalesce(first_used, {{ utc_timestamp('timestamp_text') }})) as first_used,
        max(coalesce(last_used, {{ utc_timestamp('timestamp_text') }})) as last_used,
        sum(case when is_legacy = 1 and is_success = 1 then outcomes else 0 end) as legacy_successes,
        sum(case when is_legacy = 1 and is_success = 0 then outcomes else 0 end) as legacy_failures
    from outcomes
    group by task_type, model_id
    -- Without this, a cell whose outcomes are all void would stay.
    having sum(outcomes) > 0 or max(is_legacy) = 1

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

spread as (

    select
        *,
        {{ cost_per_success_spread('cost_per_success', 'cost_per_success_error', 'priced_successes') }}
            as cost_per_success_spread
    from costed

),

rated as (

    select
        task_type,
        model_id,
        successes,
        failures,
        timeouts,
        timed_out_successes,
        infrastructure_failures,
        case
            when is_priced = 1 and (infrastructure_failures = 0 or has_priced_infrastructure_failure = 1)
                then {{ to_usd('infrastructure_cost_nano_usd', 'infrastructure_cost_carry') }}
        end as infrastructure_cost,
        trials,
        {{ ratio('successes', 'trials') }} as success_rate,
        {{ wilson_lower('successes', 'trials') }} as success_rate_lower,
        {{ wilson_upper('successes', 'trials') }} as success_rate_upper,
        unknown_failures,
        {{ ratio('successes', 'trials - unknown_failures') }} as success_rate_without_unknown,
        {{ to_count('total_tokens', 'total_tokens_carry') }} as total_tokens,
        case when is_priced = 1 then {{ to_usd('total_cost_nano_usd', 'total_cost_carry') }} end as total_cost,
        {{ ratio(to_double('metered_tokens', 'metered_tokens_carry'), 'metered_trials') }} as avg_tokens,
        {{ ratio(to_usd('priced_cost_nano_usd', 'priced_cost_carry'), 'priced_trials') }} as avg_cost,
        metered_trials,
        priced_trials,
        cost_per_success,
        {{ cost_per_success_lower(
            'cost_per_success', 'cost_per_success_spread', 'priced_successes', 'priced_trials'
        ) }} as cost_per_success_lower,
        {{ cost_per_success_upper(
            'cost_per_success', 'cost_per_success_spread', 'priced_successes', 'priced_trials'
        ) }} as cost_per_success_upper,
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
    from spread

)

select * from rated
