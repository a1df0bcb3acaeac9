with task_types as (

    select distinct task_type from {{ ref('int_models_ranked') }}

),

current_incumbents as (

    select * from {{ ref('int_incumbents') }}

),

leaders as (

    select * from {{ ref('int_leaders') }}

),

compared as (

    select
        task_types.task_type,
        current_incumbents.model_id as incumbent_model_id,
        current_incumbents.is_named as is_named_incumbent,
        leaders.model_id as leader_model_id,
        coalesce(current_incumbents.model_id, leaders.model_id) as compared_model_id
    from task_types
    left join current_incumbents on task_types.task_type = current_incumbents.task_type
    left join leaders on task_types.task_type = leaders.task_type

)

select * from compared
