with source as (

    select * from {{ source('model_outcomes', 'llm_task_outcomes') }}

),

renamed as (

    select
        unit_type as task_type,
        unit_id as task_id,
        model_id,
        coalesce(provider, '') as provider,
        succeeded as is_success,
        coalesce(retries, 0) as retries,
        coalesce(escalated, 0) as is_escalated,
        case when verification_passed is not null then 1 else 0 end as is_verified,
        coalesce(verification_passed, 0) as is_verification_passed,
        coalesce(blocker_discovered, 0) as has_blocker,
        duration_ms,
        coalesce(tokens_total, 0) as tokens_used,
        case when tokens_total > 0 then 1 else 0 end as is_metered,
        coalesce({{ to_nano_usd('cost_usd') }}, 0) as cost_nano_usd,
        case when cost_usd is not null then 1 else 0 end as is_priced,
        {{ utc_timestamp_of_ms('recorded_at') }} as occurred_at,
        {{ day_of(utc_timestamp_of_ms('recorded_at')) }} as outcome_date
    from source

)

select * from renamed
