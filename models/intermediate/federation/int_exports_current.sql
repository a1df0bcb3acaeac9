with exports as (

    select * from {{ ref('stg_federated_exports') }}
    where is_standing = 1

),

exported as (

    select * from {{ ref('stg_federated_export_rows') }}

),

-- A row covers the days after the cell's previous row.
covering as (

    select
        exports.export_id,
        exports.export_window,
        exports.is_opening,
        exports.window_last_day,
        exported.task_type,
        exported.model_id,
        lag(exports.window_last_day) over (
            partition by exports.is_opening, exported.task_type, exported.model_id
            order by exports.window_last_day
        ) as covered_before,
        exported.outcomes,
        exported.successes,
        exported.timeouts,
        exported.infrastructure_failures,
        exported.priced_trials,
        exported.tokens,
        exported.tokens_carry,
        exported.cost_nano_usd,
        exported.cost_carry
    from exported
    inner join exports on exported.export_id = exports.export_id

)

select * from covering
