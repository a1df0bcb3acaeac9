with shipped as (

    select * from {{ ref('shipped_error_types') }}

),

own as (

    select * from {{ ref('error_types') }}

),

combined as (

    select
        error_type,
        attribution
    from own
    union all
    select
        shipped.error_type,
        shipped.attribution
    from shipped
    left join own on shipped.error_type = own.error_type
    where own.error_type is null

)

select * from combined
