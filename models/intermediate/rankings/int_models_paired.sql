with profiles as (

    select * from {{ ref('int_model_profiles') }}

),

paired as (

    select
        profiles.task_type,
        profiles.successes,
        profiles.trials,
        rivals.successes as rival_successes,
        rivals.trials as rival_trials,
        rivals.models as rival_models,
        rivals.best_rank as rival_rank,
        profiles.eligible_models - 1 as rivals,
        rivals.success_rate - profiles.success_rate as difference,
        {{ sequential_squared_error('profiles.successes', 'profiles.trials', 'rivals.successes', 'rivals.trials') }}
            as squared_error
    from profiles
    inner join profiles as rivals on profiles.task_type = rivals.task_type
    where
        profiles.trials >= {{ var('min_trials_per_arm') }}
        and rivals.is_rival = 1
        and (profiles.successes <> rivals.successes or profiles.trials <> rivals.trials)

),

bounded as (

    select
        *,
        {{ sequential_half_width('squared_error', 'trials + rival_trials', alpha=var('alpha') ~ ' / rivals') }}
            as half_width
    from paired

),

judged as (

    select
        *,
        {{ verdict('trials', 'rival_trials', 'difference - half_width', 'difference + half_width') }} as verdict
    from bounded

)

select * from judged
