with models as (

    select * from {{ ref('int_models_ranked') }}
    where is_eligible = 1

),

pairs as (

    select * from {{ ref('int_models_paired') }}

),

-- In a pair the model stands as the incumbent, its rival as the challenger.
separated as (

    select
        models.task_type,
        models.model_id,
        1 + count(case when pairs.verdict = 'challenger_better' then 1 end) as rank_best,
        max(models.eligible_models) - count(case when pairs.verdict = 'incumbent_better' then 1 end) as rank_worst,
        1 - max(case when pairs.rival_rank = 1 and pairs.verdict = 'challenger_better' then 1 else 0 end)
            as is_tied_with_leader
    from models
    left join pairs on models.task_type = pairs.task_type and models.model_id = pairs.model_id
    group by models.task_type, models.model_id

)

select * from separated
