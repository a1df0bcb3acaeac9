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
        priced_trials,
        tokens,
        coalesce(tokens_carry, 0) as tokens_carry,
        cost_nano_usd,
        coalesce(cost_carry, 0) as cost_carry,
        first_day,
        last_day
    from source

)

select * from renamed
