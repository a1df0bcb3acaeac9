with experiments as (

    select * from {{ ref('stg_ab_experiments') }}

),

aliases as (

    select * from {{ ref('model_aliases') }}

),

declared as (

    select experiment_id, 'incumbent' as arm, incumbent_model_id as declared_model_id from experiments
    union all
    select experiment_id, 'challenger' as arm, challenger_model_id as declared_model_id from experiments

),

resolved as (

    select
        declared.experiment_id,
        declared.arm,
        coalesce(aliases.model_id, declared.declared_model_id) as model_id
    from declared
    left join aliases on declared.declared_model_id = aliases.alias

),

names as (

    select experiment_id, arm, model_id, model_id as recorded_model_id from resolved
    union all
    select resolved.experiment_id, resolved.arm, resolved.model_id, aliases.alias as recorded_model_id
    from resolved
    inner join aliases on resolved.model_id = aliases.model_id

),

arms as (

    select
        experiments.experiment_id,
        experiments.definition,
        experiments.task_type,
        experiments.started_at,
        experiments.ended_at,
        names.arm,
        names.model_id,
        names.recorded_model_id
    from experiments
    inner join names on experiments.experiment_id = names.experiment_id

)

select * from arms
