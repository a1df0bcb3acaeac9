with models as (

    select * from {{ ref('int_models_ranked') }}

),

recent as (

    select * from {{ ref('int_models_recent') }}

),

named as (

    select * from {{ ref('incumbents') }}

),

aliases as (

    select * from {{ ref('model_aliases') }}

),

ordered as (

    select
        models.task_type,
        models.model_id,
        row_number() over (
            partition by models.task_type
            order by coalesce(recent.trials, 0) desc, models.trials desc, models.model_id
        ) as place
    from models
    left join recent on models.task_type = recent.task_type and models.model_id = recent.model_id

)

select
    ordered.task_type,
    coalesce(aliases.model_id, named.model_id, ordered.model_id) as model_id,
    case when named.model_id is null then 0 else 1 end as is_named
from ordered
left join named on ordered.task_type = named.task_type
left join aliases on named.model_id = aliases.alias
where ordered.place = 1
