with stats as (

    select * from {{ ref('model_stats') }}

),

exported as (

    select
        task_type,
        model_id,
        successes + failures as outcomes,
        successes,
        failures,
        timeouts,
        trials,
        success_rate,
        success_rate_lower,
        success_rate_upper,
        total_tokens,
        total_cost,
        last_used
    from stats
    where successes + failures >= {{ var('high_confidence_trials') }}

)

select * from exported
order by success_rate_lower desc, trials desc, task_type, model_id
