with source as (

    select * from {{ ref('ab_experiments') }}

),

renamed as (

    select
        experiment_id,
        nullif(task_type, '') as task_type,
        incumbent_model_id,
        challenger_model_id,
        {{ utc_timestamp('started_at') }} as started_at,
        {{ utc_timestamp("nullif(ended_at, '')") }} as ended_at,
        {{ double('challenger_share') }} as challenger_share,
        coalesce(task_type, '')
        || ' | ' || incumbent_model_id
        || ' | ' || challenger_model_id
        || ' | ' || started_at
        || ' | ' || coalesce(ended_at, '') as definition
    from source

)

select * from renamed
