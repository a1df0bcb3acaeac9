with source as (

    select * from {{ source('model_outcomes', 'model_outcomes') }}

),

renamed as (

    select
        id as outcome_id,
        event_id,
        task_id,
        experiment_id,
        recorded_by,
        task_type,
        model_id,
        coalesce(error_type, '') as error_type,
        success as is_success,
        case when success = 0 then timeout else 0 end as is_timeout,
        timeout as has_timed_out,
        tokens_used,
        case when tokens_used > 0 then 1 else 0 end as is_metered,
        {{ to_nano_usd('cost_usd') }} as cost_nano_usd,
        case when cost_usd > 0 or cost_source is not null then 1 else 0 end as is_priced,
        duration_ms,
        timestamp as timestamp_text,
        {{ utc_timestamp('timestamp') }} as occurred_at,
        {{ utc_day('timestamp') }} as outcome_date
    from source

)

select * from renamed
