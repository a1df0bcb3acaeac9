with source as (

    select * from {{ source('model_outcomes', 'federated_imports') }}

),

renamed as (

    select
        import_id,
        project,
        export_window,
        as_of,
        licence,
        epsilon,
        row_count
    from source

)

select * from renamed
