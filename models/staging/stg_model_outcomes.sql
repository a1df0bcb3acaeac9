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
        timeout as is_timeout,
        score,
        agent,
        effort,
        variant,
        attempt,
        propensity,
        tokens_used,
        case when tokens_used > 0 then 1 else 0 end as is_metered,
        input_tokens,
        cached_input_tokens,
        output_tokens,
        -- At a flat rate no money belongs to the attempt.
        case when cost_source = 'plan' then 0 else {{ to_nano_usd('cost_usd') }} end as cost_nano_usd,
        case
            when cost_source = 'plan' then 0
            when cost_usd > 0 or cost_source is not null then 1
            else 0
        end as is_priced,
        cost_source,
        duration_ms,
        attributes,
        timestamp as timestamp_text,
        {{ utc_timestamp('timestamp') }} as occurred_at,
        {{ utc_day('timestamp') }} as outcome_date
    from source

)

select * from renamed
