with days as (

    select * from {{ ref('int_model_days_monitored') }}

),

rated as (

    select
        outcome_date,
        task_type,
        model_id,
        attempts,
        trials,
        successes,
        {{ ratio('successes', 'trials') }} as success_rate,
        {{ wilson_lower('successes', 'trials') }} as success_rate_lower,
        {{ wilson_upper('successes', 'trials') }} as success_rate_upper,
        {{ to_count('total_tokens', 'total_tokens_carry') }} as total_tokens,
        case
            when coalesce(is_priced, 1) = 1 then {{ to_usd('total_cost_nano_usd', 'total_cost_carry') }}
        end as total_cost,
        {{ cost_per_success(
            to_usd('priced_cost_nano_usd', 'priced_cost_carry'), 'priced_successes'
        ) }} as cost_per_success,
        trailing_7d_trials,
        trailing_7d_successes,
        {{ ratio('trailing_7d_successes', 'trailing_7d_trials') }} as trailing_7d_success_rate,
        {{ wilson_lower('trailing_7d_successes', 'trailing_7d_trials') }} as trailing_7d_success_rate_lower,
        {{ wilson_upper('trailing_7d_successes', 'trailing_7d_trials') }} as trailing_7d_success_rate_upper,
        {{ to_count('trailing_7d_total_tokens', 'trailing_7d_total_tokens_carry') }} as trailing_7d_total_tokens,
        case
            when coalesce(is_trailing_7d_priced, 1) = 1
                then {{ to_usd('trailing_7d_total_cost_nano_usd', 'trailing_7d_total_cost_carry') }}
        end as trailing_7d_total_cost,
        {{ cost_per_success(
            to_usd('trailing_7d_priced_cost_nano_usd', 'trailing_7d_priced_cost_carry'), 'trailing_7d_priced_successes'
        ) }} as trailing_7d_cost_per_success,
        trailing_28d_trials,
        trailing_28d_successes,
        {{ ratio('trailing_28d_successes', 'trailing_28d_trials') }} as trailing_28d_success_rate,
        {{ wilson_lower('trailing_28d_successes', 'trailing_28d_trials') }} as trailing_28d_success_rate_lower,
        {{ wilson_upper('trailing_28d_successes', 'trailing_28d_trials') }} as trailing_28d_success_rate_upper,
        {{ to_count('trailing_28d_total_tokens', 'trailing_28d_total_tokens_carry') }} as trailing_28d_total_tokens,
        case
            when coalesce(is_trailing_28d_priced, 1) = 1
                then {{ to_usd('trailing_28d_total_cost_nano_usd', 'trailing_28d_total_cost_carry') }}
        end as trailing_28d_total_cost,
        {{ cost_per_success(
            to_usd('trailing_28d_priced_cost_nano_usd', 'trailing_28d_priced_cost_carry'), 'trailing_28d_priced_successes'
        ) }} as trailing_28d_cost_per_success,
        baseline_success_rate,
        cusum,
        cusum_threshold,
        is_drift_alarm,
        {{ is_outside_control_limits('successes', 'trials', 'baseline_success_rate') }} as is_outside_control_limits
    from days

)

select * from rated
