with source as (

    select * from {{ source('model_outcomes', 'outcome_corrections') }}

),

renamed as (

    select
        correction_id,
        outcome_id,
        event_id,
        verdict,
        previous_verdict,
        reason,
        {{ utc_timestamp('corrected_at') }} as corrected_at,
        corrected_by
    from source

)

select * from renamed
