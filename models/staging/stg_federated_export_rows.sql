with source as (

    select * from {{ source('model_outcomes', 'federated_export_rows') }}

),

renamed as (

    select
        export_id,
        task_type,
        model_id,
        outcomes,
        successes,
        timeouts,
        infrastructure_failures,
        tokens,
        cost_nano_usd,
        first_day,
        last_day
    from source

)

select * from renamed
