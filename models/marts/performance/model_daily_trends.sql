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
        sum(cost_nano_usd) as total_cost_nano_usd,
        sum(case when is_trial = 1 and is_success = 1 then priced_outcomes else 0 end) as priced_successes,
        sum(case when is_trial = 1 then cost_nano_usd else 0 end) as priced_cost_nano_usd
    from outcomes
    group by outcome_date, task_type, model_id

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
        total_tokens,
        {{ to_usd('total_cost_nano_usd') }} as total_cost,
        {{ ratio(to_usd('priced_cost_nano_usd'), 'priced_successes') }} as cost_per_success
    from counted

)

select * from rated
