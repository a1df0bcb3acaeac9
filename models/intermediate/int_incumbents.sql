with stats as (

    select * from {{ ref('int_outcomes_counted') }}

),

recent as (

    select * from {{ ref('int_outcomes_recent') }}

),

named as (

    select * from {{ ref('incumbents') }}

),

aliases as (

    select * from {{ ref('model_aliases') }}

),

ordered as (

    select
        stats.task_type,
        stats.model_id,
        row_number() over (
            partition by stats.task_type
            order by coalesce(recent.trials, 0) desc, stats.trials desc, stats.model_id
        ) as place
    from stats
    left join recent on stats.task_type = recent.task_type and stats.model_id = recent.model_id

)

select
    ordered.task_type,
    coalesce(aliases.model_id, named.model_id, ordered.model_id) as model_id,
    case when named.model_id is null then 0 else 1 end as is_named
from ordered
left join named on ordered.task_type = named.task_type
left join aliases on named.model_id = aliases.alias
where ordered.place = 1
