with models as (

    select * from {{ ref('int_models_ranked') }}
    where is_eligible = 1

),

profiles as (

    select * from {{ ref('int_model_profiles') }}

),

-- In a pair, the profile is the incumbent and its rival is the challenger.
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

),

separated as (

    select
        task_type,
        successes,
        trials,
        sum(case when verdict = 'challenger_better' then rival_models else 0 end) as better_models,
        sum(case when verdict = 'incumbent_better' then rival_models else 0 end) as worse_models,
        max(case when rival_rank = 1 and verdict = 'challenger_better' then 1 else 0 end) as is_behind_leader
    from judged
    group by task_type, successes, trials

),

placed as (

    select
        models.task_type,
        models.model_id,
        1 + coalesce(separated.better_models, 0) as rank_best,
        models.eligible_models - coalesce(separated.worse_models, 0) as rank_worst,
        1 - coalesce(separated.is_behind_leader, 0) as is_tied_with_leader
    from models
    left join separated
        on
            models.task_type = separated.task_type
            and models.successes = separated.successes
            and models.trials = separated.trials

)

select * from placed
