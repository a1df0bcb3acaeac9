with stats as (

    select * from {{ ref('int_outcomes_counted') }}

),

days as (

    select * from {{ ref('int_outcomes_daily_attributed') }}

),

named as (

    select * from {{ ref('incumbents') }}

),

aliases as (

    select * from {{ ref('model_aliases') }}

),

last_days as (

    select
        task_type,
        max(outcome_date) as last_date
    from days
    group by task_type

),

recent as (

    select days.task_type, days.model_id, sum(days.outcomes) as trials
    from days
    inner join last_days on days.task_type = last_days.task_type
    where days.is_trial = 1 and days.outcome_date > {{ days_after('last_days.last_date', '-' ~ var('incumbent_days')) }}
    group by days.task_type, days.model_id

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
