with experiments as (

    select * from {{ ref('stg_ab_experiments') }}

),

arms as (

    select distinct experiment_id, arm, model_id from {{ ref('int_experiment_arms') }}

),

leaders as (

    select * from {{ ref('int_leaders') }}

),

current_incumbents as (

    select * from {{ ref('int_incumbents') }}

),

-- The data chose the leader and its rival among all pairs of models. Their number raises the evidence that a decision
-- needs.
listed as (

    select
        experiments.experiment_id,
        1 as is_declared,
        experiments.task_type,
        incumbents.model_id as incumbent_model_id,
        challengers.model_id as challenger_model_id,
        experiments.started_at,
        experiments.ended_at,
        experiments.challenger_share,
        1 as candidate_pairs
    from experiments
    inner join arms as incumbents
        on experiments.experiment_id = incumbents.experiment_id and incumbents.arm = 'incumbent'
    inner join arms as challengers
        on experiments.experiment_id = challengers.experiment_id and challengers.arm = 'challenger'
    union all
    select
        'leader:' || leaders.task_type as experiment_id,
        0 as is_declared,
        leaders.task_type,
        current_incumbents.model_id as incumbent_model_id,
        leaders.model_id as challenger_model_id,
        null as started_at,
        null as ended_at,
        null as challenger_share,
        case
            when leaders.eligible_models > 2 then leaders.eligible_models * (leaders.eligible_models - 1) / 2
            else 1
        end as candidate_pairs
    from leaders
    inner join current_incumbents
        on leaders.task_type = current_incumbents.task_type and leaders.model_id <> current_incumbents.model_id

)

select * from listed
