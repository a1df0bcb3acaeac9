with stats as (

    select * from {{ ref('model_stats') }}

),

current_incumbents as (

    select * from {{ ref('int_incumbents') }}

),

candidates as (

    select
        challengers.task_type,
        challengers.model_id,
        current_incumbents.model_id as incumbent_model_id,
        'may be better than ' || current_incumbents.model_id || ': ' || challengers.successes || ' of '
        || challengers.trials || ' trials succeeded, against ' || incumbents.successes || ' of '
        || incumbents.trials as reason,
        challengers.trials,
        challengers.success_rate,
        challengers.success_rate_lower,
        challengers.success_rate_upper,
        incumbents.trials as incumbent_trials,
        incumbents.success_rate as incumbent_success_rate,
        incumbents.success_rate_lower as incumbent_success_rate_lower,
        incumbents.success_rate_upper as incumbent_success_rate_upper
    from stats as challengers
    inner join current_incumbents on challengers.task_type = current_incumbents.task_type
    inner join stats as incumbents
        on
            current_incumbents.task_type = incumbents.task_type
            and current_incumbents.model_id = incumbents.model_id
    where
        challengers.trials >= {{ var('min_samples') }}
        and challengers.model_id <> current_incumbents.model_id
        and challengers.success_rate_upper > incumbents.success_rate_lower

)

select * from candidates
