with ours as (

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

)

select * from known
