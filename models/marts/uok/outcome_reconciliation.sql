with ours as (

    select * from {{ ref('int_outcomes_attributed') }}
    where is_legacy = 0

),

mirrored as (

    select * from {{ ref('int_uok_outcomes_counted') }}

),

side_by_side as (

    select
        task_type,
        model_id,
        case when is_success = 1 then outcomes else 0 end as our_successes,
        case when is_success = 0 then outcomes else 0 end as our_failures,
        case when is_success = 0 then timeouts else 0 end as our_timeouts,
        case when is_trial = 0 then outcomes else 0 end as our_infrastructure_failures,
        case when is_trial = 0 then outcomes when is_success = 0 then timeouts else 0 end as our_censorable_failures,
        tokens_used as our_tokens,
        tokens_carry as our_tokens_carry,
        cost_nano_usd as our_cost_nano_usd,
        cost_carry as our_cost_carry,
        priced_outcomes as our_priced_outcomes,
        first_used as our_first_used,
        last_used as our_last_used,
        0 as uok_successes,
        0 as uok_failures,
        0 as uok_tokens,
        0 as uok_tokens_carry,
        0 as uok_cost_nano_usd,
        0 as uok_cost_carry,
        0 as uok_priced_outcomes,
        null as uok_first_used,
        null as uok_last_used
    from ours
    union all
    select
        task_type,
        model_id,
        0 as our_successes,
        0 as our_failures,
        0 as our_timeouts,
        0 as our_infrastructure_failures,
        0 as our_censorable_failures,
        0 as our_tokens,
        0 as our_tokens_carry,
        0 as our_cost_nano_usd,
        0 as our_cost_carry,
        0 as our_priced_outcomes,
        null as our_first_used,
        null as our_last_used,
        successes as uok_successes,
        failures as uok_failures,
        total_tokens as uok_tokens,
        total_tokens_carry as uok_tokens_carry,
        total_cost_nano_usd as uok_cost_nano_usd,
        total_cost_carry as uok_cost_carry,
        priced_outcomes as uok_priced_outcomes,
        first_used as uok_first_used,
        last_used as uok_last_used
    from mirrored

),

cells as (

    select
        task_type,
        model_id,
        sum(our_successes) as our_successes,
        sum(our_failures) as our_failures,
        sum(our_timeouts) as our_timeouts,
        sum(our_infrastructure_failures) as our_infrastructure_failures,
        sum(our_censorable_failures) as our_censorable_failures,
        sum(our_tokens) as our_tokens,
        sum(our_tokens_carry) as our_tokens_carry,
        sum(our_cost_nano_usd) as our_cost_nano_usd,
        sum(our_cost_carry) as our_cost_carry,
        sum(our_priced_outcomes) as our_priced_outcomes,
        min(our_first_used) as our_first_used,
        max(our_last_used) as our_last_used,
        sum(uok_successes) as uok_successes,
        sum(uok_failures) as uok_failures,
        sum(uok_tokens) as uok_tokens,
        sum(uok_tokens_carry) as uok_tokens_carry,
        sum(uok_cost_nano_usd) as uok_cost_nano_usd,
        sum(uok_cost_carry) as uok_cost_carry,
        sum(uok_priced_outcomes) as uok_priced_outcomes,
        min(uok_first_used) as uok_first_used,
        max(uok_last_used) as uok_last_used
    from side_by_side
    group by task_type, model_id

),

surveyed as (

    select
        *,
        our_successes + our_failures as our_outcomes,
        uok_successes + uok_failures as uok_outcomes,
        case when our_priced_outcomes > 0 or our_successes + our_failures = 0 then 1 else 0 end as is_our_cost_known,
        case when uok_priced_outcomes > 0 or uok_successes + uok_failures = 0 then 1 else 0 end as is_uok_cost_known,
        sum(uok_successes + uok_failures) over (partition by task_type) as task_type_uok_outcomes,
        sum(uok_failures) over (partition by task_type) as task_type_uok_failures,
        sum(our_failures - our_censorable_failures) over (partition by task_type) as task_type_our_own_failures
    from cells
    where our_successes + our_failures + uok_successes + uok_failures > 0

),

reconciled as (

    select
        task_type,
        model_id,
        case when uok_outcomes = 0 then 'ours' when our_outcomes = 0 then 'uok' else 'both' end as side,
        our_outcomes,
        uok_outcomes,
        our_outcomes - uok_outcomes as outcomes_difference,
        our_successes,
        uok_successes,
        our_successes - uok_successes as successes_difference,
        our_failures,
        uok_failures,
        our_failures - uok_failures as failures_difference,
        our_timeouts,
        our_infrastructure_failures,
        {{ ratio('our_successes', 'our_outcomes') }} as our_success_rate,
        {{ ratio('uok_successes', 'uok_outcomes') }} as uok_success_rate,
        {{ to_count('our_tokens', 'our_tokens_carry') }} as our_total_tokens,
        {{ to_count('uok_tokens', 'uok_tokens_carry') }} as uok_total_tokens,
        {{ to_count('our_tokens - uok_tokens', 'our_tokens_carry - uok_tokens_carry') }} as total_tokens_difference,
        case
            when is_our_cost_known = 1 then {{ to_usd('our_cost_nano_usd', 'our_cost_carry') }}
        end as our_total_cost,
        case
            when is_uok_cost_known = 1 then {{ to_usd('uok_cost_nano_usd', 'uok_cost_carry') }}
        end as uok_total_cost,
        case
            when is_our_cost_known = 1 and is_uok_cost_known = 1
                then {{ to_usd('our_cost_nano_usd - uok_cost_nano_usd', 'our_cost_carry - uok_cost_carry') }}
        end as total_cost_difference,
        case
            when uok_outcomes = 0 or task_type_uok_failures > 0 then 0
            when task_type_uok_outcomes >= {{ var('degenerate_min_trials') }} then 1
            when task_type_our_own_failures > 0 then 1
            else 0
        end as is_degenerate,
        case
            when our_censorable_failures > 0 and our_failures > uok_failures and task_type_uok_outcomes > 0 then 1
            else 0
        end as has_censored_failures,
        our_first_used,
        our_last_used,
        uok_first_used,
        uok_last_used
    from surveyed

)

select * from reconciled
