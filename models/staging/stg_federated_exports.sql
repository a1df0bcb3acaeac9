with source as (

    select * from {{ source('model_outcomes', 'federated_exports') }}

),

renamed as (

    select
        export_id,
        export_window,
        case when export_window = 'opening' then 1 else 0 end as is_opening,
        last_day as window_last_day,
        as_of,
        epsilon,
        row_count,
        case when replaced_by is null then 1 else 0 end as is_standing
    from source

)

select * from renamed
