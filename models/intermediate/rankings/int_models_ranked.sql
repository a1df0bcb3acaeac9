with models as (

    select * from {{ ref('int_models_rated') }}

),

judged as (

    select
        *,
        successes - legacy_successes as logged_successes,
        trials - legacy_successes - legacy_failures as logged_trials,
        case when trials >= {{ var('min_samples') }} then 1 else 0 end as is_eligible,
        case when trials < {{ var('min_trials_per_arm') }} then 1 else 0 end as is_too_little_tried,
        case when trials >= {{ var('high_confidence_trials') }} then 1 else 0 end as is_high_confidence,
        case
            when trials >= {{ var('min_samples') }} and 1 - success_rate > {{ var('failure_rate_threshold') }} then 1
            else 0
        end as is_over_failure_threshold,
        case
            when
                sum(trials) over (partition by task_type) >= {{ var('degenerate_min_trials') }}
                and count(success_rate) over (partition by task_type) >= {{ var('degenerate_min_models') }}
                and sum(successes) over (partition by task_type) in (0, sum(trials) over (partition by task_type))
                then 1
            else 0
        end as is_degenerate
    from models

),

ranked as (

    select
        *,
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
        sum(is_eligible) over (partition by task_type) as eligible_models
    from judged

)

select * from ranked
