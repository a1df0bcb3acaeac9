with stats as (

    select * from {{ ref('model_stats') }}

),

current_incumbents as (

    select * from {{ ref('int_incumbents') }}

),

failing as (

    select
        stats.task_type,
        stats.model_id,
        current_incumbents.model_id as incumbent_model_id,
        'failed ' || (stats.trials - stats.successes) || ' of ' || stats.trials || ' trials, more than '
        || cast({{ var('failure_rate_threshold') }} * 100 as integer) || ' %' as reason,
        stats.trials,
        stats.trials - stats.successes as failed_trials,
        1 - stats.success_rate as failure_rate,
        stats.success_rate,
        stats.success_rate_lower,
        stats.success_rate_upper
    from stats
    left join current_incumbents on stats.task_type = current_incumbents.task_type
    where stats.trials >= {{ var('min_samples') }} and 1 - stats.success_rate > {{ var('failure_rate_threshold') }}

)

select * from failing
