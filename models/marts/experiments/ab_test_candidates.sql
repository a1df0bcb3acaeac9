with rankings as (

    select * from {{ ref('model_rankings') }}

),

current_incumbents as (

    select * from {{ ref('int_incumbents') }}

),

compared as (

    select
        challengers.task_type,
        challengers.model_id,
        current_incumbents.model_id as incumbent_model_id,
        case
            when challengers.trials < {{ var('min_trials_per_arm') }}
                then 'too little tried to tell: ' || challengers.trials || ' trials, of {{ var("min_trials_per_arm") }}'
            else
                'may be the best: no model is surely better than its ' || challengers.successes || ' of '
                || challengers.trials || ' trials'
        end as reason,
        challengers.rank,
        challengers.rank_best,
        challengers.probability_best,
        challengers.trials,
        challengers.success_rate,
        challengers.success_rate_lower,
        challengers.success_rate_upper,
        incumbents.trials as incumbent_trials,
        incumbents.success_rate as incumbent_success_rate,
        incumbents.success_rate_lower as incumbent_success_rate_lower,
        incumbents.success_rate_upper as incumbent_success_rate_upper,
        challengers.success_rate - incumbents.success_rate as difference,
        {{ sequential_squared_error(
            'incumbents.successes', 'incumbents.trials', 'challengers.successes', 'challengers.trials'
        ) }} as squared_error
    from rankings as challengers
    inner join current_incumbents
        on challengers.task_type = current_incumbents.task_type and challengers.model_id <> current_incumbents.model_id
    left join rankings as incumbents
        on current_incumbents.task_type = incumbents.task_type and current_incumbents.model_id = incumbents.model_id
    where challengers.rank_best = 1 or challengers.trials < {{ var('min_trials_per_arm') }}

),

candidates as (

    select
        *,
        {{ trials_to_separate('incumbent_trials', 'trials', squared_z('difference', 'squared_error')) }}
            as trials_to_separate
    from compared

)

select * from candidates
