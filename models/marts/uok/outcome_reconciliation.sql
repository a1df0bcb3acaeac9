with cells as (

    select * from {{ ref('int_uok_outcomes_reconciled') }}

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

),

reconciled as (

    select
        task_type, model_id,
        case when uok_outcomes = 0 then 'ours' when our_outcomes = 0 then 'uok' else 'both' end as side,
        our_outcomes, uok_outcomes, our_outcomes - uok_outcomes as outcomes_difference,
        our_successes, uok_successes, our_successes - uok_successes as successes_difference,
        our_failures, uok_failures, our_failures - uok_failures as failures_difference,
        our_timeouts, our_infrastructure_failures,
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
        our_first_used, our_last_used, uok_first_used, uok_last_used
    from surveyed

)

select * from reconciled
