with source as (

    select * from {{ source('model_outcomes', 'legacy_model_stats') }}

),

renamed as (

    select
        load_id,
        task_type,
        model_id,
        successes,
        failures,
        timeouts,
        total_tokens as tokens_used,
        total_cost_nano_usd as cost_nano_usd,
        {{ utc_timestamp('last_used') }} as last_used
    from source

)

select * from renamed
