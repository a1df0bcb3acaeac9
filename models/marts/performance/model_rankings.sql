with stats as (

    select * from {{ ref('model_stats') }}

),

judged as (

    select
        *,
        case when trials >= {{ var('min_samples') }} then 1 else 0 end as is_eligible,
        case when trials >= {{ var('high_confidence_trials') }} then 1 else 0 end as is_high_confidence,
        case
            when trials >= {{ var('min_samples') }} and 1 - success_rate > {{ var('failure_rate_threshold') }} then 1
            else 0
        end as is_over_failure_threshold
    from stats

),

ranked as (

    select
        task_type,
        model_id,
        is_eligible,
        case
            when is_eligible = 1
                then row_number() over (
                    partition by task_type, is_eligible
                    order by
                        success_rate_lower desc,
                        trials desc,
                        case when cost_per_success is null then 1 else 0 end,
                        cost_per_success,
                        model_id
                )
        end as rank,
        trials,
        successes,
        failures,
        success_rate,
        success_rate_lower,
        success_rate_upper,
        is_high_confidence,
        is_over_failure_threshold,
        total_tokens,
        total_cost,
        cost_per_success,
        priced_trials,
        last_used
    from judged

)

select * from ranked
