with models as (

    select * from {{ ref('int_models_rated') }}

),

last_trials as (

    select
        task_type,
        model_id,
        max(outcome_date) as last_trial_date
    from {{ ref('int_model_days_counted') }}
    where trials > 0 and outcome_date <= {{ last_day() }}
    group by task_type, model_id

),

retirements as (

    select
        task_type,
        {{ days_after('max(last_trial_date)', '-' ~ var('retired_after_days')) }} as retired_until
    from last_trials
    group by task_type

),

-- An opening balance has no days, but it says when the older tool last used the model.
dated as (

    select
        models.*,
        retirements.retired_until,
        case
            when last_trials.last_trial_date is not null then last_trials.last_trial_date
            when
                models.trials = models.legacy_successes + models.legacy_failures
                and {{ day_of('models.last_used') }} <= {{ last_day() }}
                then {{ day_of('models.last_used') }}
        end as last_trial_date
    from models
    left join last_trials on models.task_type = last_trials.task_type and models.model_id = last_trials.model_id
    left join retirements on models.task_type = retirements.task_type

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
        end as is_degenerate,
        case
            when trials = 0 or retired_until is null or last_trial_date > retired_until then 0
            else 1
        end as is_retired
    from dated

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
