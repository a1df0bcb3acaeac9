with outcomes as (

    select * from {{ ref('int_outcomes_daily_attributed') }}

),

counted as (

    select
        outcome_date,
        task_type,
        model_id,
        sum(outcomes) as attempts,
        sum(case when is_trial = 1 then outcomes else 0 end) as trials,
        sum(case when is_success = 1 then outcomes else 0 end) as successes,
        sum(tokens_used) as total_tokens,
        sum(tokens_carry) as total_tokens_carry,
        sum(cost_nano_usd) as total_cost_nano_usd,
        sum(cost_carry) as total_cost_carry,
        -- The same rule as in int_models_rated.
        case
            when sum(case when is_trial = 1 then priced_outcomes else 0 end) > 0 then 1
            when sum(cost_nano_usd) > 0 or sum(cost_carry) > 0 then 1
            else 0
        end as is_priced,
        sum(case when is_trial = 1 then metered_outcomes else 0 end) as metered_trials,
        sum(case when is_trial = 1 then tokens_used else 0 end) as metered_tokens,
        sum(case when is_trial = 1 then tokens_carry else 0 end) as metered_tokens_carry,
        sum(case when is_trial = 1 then priced_outcomes else 0 end) as priced_trials,
        sum(case when is_success = 1 then priced_outcomes else 0 end) as priced_successes,
        sum(case when is_trial = 1 then cost_nano_usd else 0 end) as priced_cost_nano_usd,
        sum(case when is_trial = 1 then cost_carry else 0 end) as priced_cost_carry
    from outcomes
    group by task_type, model_id, outcome_date
    having sum(outcomes) > 0

)

select * from counted
