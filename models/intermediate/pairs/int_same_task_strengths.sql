{#- Eight steps of one statement: a loop says so better than eight copies. -#}
{%- set steps = 8 -%}
with weights as (

    select * from {{ ref('int_same_task_weights') }}

),

-- `label` becomes the first name among the models that are linked by shared tasks.
step_0 as (

    select
        task_type,
        model_id,
        shared_tasks,
        0e0 as strength,
        model_id as label
    from {{ ref('int_same_task_weights') }}
    where model_id = rival_model_id

),

{% for step in range(1, steps + 1) -%}
step_{{ step }} as (

    select
        weights.task_type,
        weights.model_id,
        max(weights.shared_tasks) as shared_tasks,
        sum(weights.rival_weight * previous.strength + weights.intercept) as strength,
        min(previous.label) as label
    from weights
    inner join step_{{ step - 1 }} as previous
        on weights.task_type = previous.task_type and weights.rival_model_id = previous.model_id
    group by weights.task_type, weights.model_id

),

{% endfor -%}
linked as (

    select
        *,
        count(*) over (partition by task_type, label) as linked_models,
        avg(strength) over (partition by task_type, label) as mean_strength
    from step_{{ steps }}

),

grouped as (

    select
        *,
        dense_rank() over (partition by task_type order by linked_models desc, label) as place
    from linked

),

-- Models that no chain of shared tasks links with the others have no place among them.
strengths as (

    select
        task_type,
        model_id,
        shared_tasks,
        strength - mean_strength as same_task_strength,
        row_number() over (partition by task_type order by strength desc, model_id) as same_task_rank
    from grouped
    where place = 1 and linked_models > 1

)

select * from strengths
