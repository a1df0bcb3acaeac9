with source as (

    select * from {{ source('model_outcomes', 'federated_names') }}

),

renamed as (

    select
        kind,
        name,
        published_name
    from source

)

select * from renamed
