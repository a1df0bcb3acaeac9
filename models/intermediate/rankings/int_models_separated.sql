with models as (

    select * from {{ ref('int_models_ranked') }}
    where is_eligible = 1

),

-- In a pair, the profile is the incumbent and its rival is the challenger.
separated as (

    select
        task_type,
        successes,
        trials,
        sum(case when verdict = 'challenger_better' then rival_models else 0 end) as better_models,
        sum(case when verdict = 'incumbent_better' then rival_models else 0 end) as worse_models,
        max(case when rival_rank = 1 and verdict = 'challenger_better' then 1 else 0 end) as is_behind_leader
    from {{ ref('int_models_paired') }}
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
