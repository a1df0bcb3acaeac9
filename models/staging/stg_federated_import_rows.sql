with source as (

    select * from {{ source('model_outcomes', 'federated_import_rows') }}

),

-- As doubles: each row from another project is limited, but the sum of many rows could exceed 64 bits.
renamed as (

    select
        import_id,
        task_type,
        model_id,
        successes,
        successes + failures as outcomes,
        successes + failures - coalesce(infrastructure_failures, 0) as trials,
        metered_trials,
        {{ to_double('tokens', 'tokens_carry') }} as tokens,
        priced_trials,
        priced_successes,
        {{ to_usd('cost_nano_usd', 'cost_carry') }} as cost_usd,
        cost_usd_squared,
        {{ to_usd('success_cost_nano_usd', 'success_cost_carry') }} as success_cost_usd,
        first_day,
        last_day,
        noise_variance
    from source

)

select * from renamed
