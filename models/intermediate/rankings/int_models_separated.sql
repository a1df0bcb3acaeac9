with models as (

    select
        *,
        min(case when is_retired = 0 then rank end) over (partition by task_type) as leader_rank,
        sum(1 - is_retired) over (partition by task_type) as models_in_use
    from {{ ref('int_models_ranked') }}
    where is_eligible = 1

),

pairs as (

    select
        pairs.*,
        rivals.leader_rank,
        rivals.is_retired as is_rival_retired
    from {{ ref('int_pairs_compared') }} as pairs
    inner join models as rivals on pairs.task_type = rivals.task_type and pairs.rival_model_id = rivals.model_id
    where pairs.is_eligible = 1

),

-- In a pair, the model is the incumbent and its rival is the challenger.
separated as (

    select
        task_type,
        model_id,
        sum(case when verdict = 'challenger_better' then 1 else 0 end) as better_models,
        sum(case when verdict = 'incumbent_better' then 1 else 0 end) as worse_models,
        sum(case when verdict = 'challenger_better' and is_rival_retired = 0 then 1 else 0 end) as better_models_in_use,
        max(case when rival_rank = leader_rank and verdict = 'challenger_better' then 1 else 0 end) as is_behind_leader
    from pairs
    group by task_type, model_id

),

placed as (

    select
        models.task_type,
        models.model_id,
        1 + coalesce(separated.better_models, 0) as rank_best,
        models.eligible_models - coalesce(separated.worse_models, 0) as rank_worst,
        models.leader_rank,
        1 - models.is_retired as is_in_use,
        models.models_in_use,
        coalesce(separated.better_models_in_use, 0) as better_models_in_use,
        1 - coalesce(separated.is_behind_leader, 0) as is_tied_with_leader
    from models
    left join separated on models.task_type = separated.task_type and models.model_id = separated.model_id

)

select * from placed
