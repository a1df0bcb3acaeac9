with mirrored as (

    select distinct model_id, provider from {{ ref('stg_llm_task_outcomes') }}

),

ours as (

    select distinct model_id, recorded_model_id from {{ ref('int_outcomes_attributed') }}

),

aliases as (

    select * from {{ ref('model_aliases') }}

),

known as (

    select alias as name, model_id from aliases
    union
    select model_id as name, model_id from aliases
    union
    select recorded_model_id as name, model_id from ours
    union
    select model_id as name, model_id from ours

),

spelled as (

    select model_id, provider, 1 as preference, model_id as name from mirrored
    union all
    select model_id, provider, 2 as preference, substr(model_id, length(provider) + 2) as name from mirrored
    where provider <> '' and substr(model_id, 1, length(provider) + 1) = provider || '/'
    union all
    select model_id, provider, 3 as preference, provider || '/' || model_id as name from mirrored
    where provider <> ''

),

recognised as (

    select
        spelled.model_id,
        spelled.provider,
        known.model_id as known_model_id,
        row_number() over (partition by spelled.model_id, spelled.provider order by spelled.preference) as place
    from spelled
    inner join known on spelled.name = known.name

),

matched as (

    select
        mirrored.model_id as recorded_model_id,
        mirrored.provider,
        coalesce(recognised.known_model_id, mirrored.model_id) as model_id
    from mirrored
    left join recognised
        on
            mirrored.model_id = recognised.model_id
            and mirrored.provider = recognised.provider
            and recognised.place = 1

)

select * from matched
