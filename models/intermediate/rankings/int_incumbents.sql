with task_types as (

    select distinct task_type from {{ ref('int_models_ranked') }}

),

retired as (

    select
        task_type,
        model_id
    from {{ ref('int_models_ranked') }}
    where is_retired = 1

),

named as (

    select * from {{ ref('incumbents') }}

),

aliases as (

    select * from {{ ref('model_aliases') }}

),

days as (

    select
        task_type,
        model_id,
        outcome_date,
        trials
    from {{ ref('int_model_days_counted') }}
    where outcome_date <= {{ last_day() }}

),

last_days as (

    select
        task_type,
        max(outcome_date) as last_date
    from days
    group by task_type

),

recent as (

    select
        days.task_type,
        days.model_id,
        sum(days.trials) as trials
    from days
    inner join last_days on days.task_type = last_days.task_type
    where days.outcome_date > {{ days_after('last_days.last_date', '-' ~ var('incumbent_days')) }}
    group by days.task_type, days.model_id

),

shared as (

    select
        *,
        sum(trials) over (partition by task_type) as task_type_trials
    from recent

),

-- Two models cannot both have a share above one half.
in_use as (

    select
        shared.task_type,
        shared.model_id
    from shared
    left join retired on shared.task_type = retired.task_type and shared.model_id = retired.model_id
    where
        retired.model_id is null
        and shared.trials >= {{ var('min_trials_per_arm') }}
        and shared.trials > {{ var('incumbent_share') }} * shared.task_type_trials

),

chosen as (

    select
        task_types.task_type,
        coalesce(aliases.model_id, named.model_id, in_use.model_id) as model_id,
        case when named.model_id is null then 0 else 1 end as is_named
    from task_types
    left join named on task_types.task_type = named.task_type
    left join aliases on named.model_id = aliases.alias
    left join in_use on task_types.task_type = in_use.task_type
    where coalesce(named.model_id, in_use.model_id) is not null

)

select * from chosen
