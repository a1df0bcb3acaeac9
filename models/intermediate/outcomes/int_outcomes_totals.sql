with new_outcomes as (

    select * from {{ ref('stg_model_outcomes') }}
    where {{ is_newer(rolled_up_to('last_outcome_id')) }}

),

totalled as (

    select
        task_type,
        model_id,
        error_type,
        is_success,
        count(*) as outcomes,
        sum(is_timeout) as timeouts,
        sum(is_metered) as metered_outcomes,
        sum(is_priced) as priced_outcomes,
        sum({{ rest_of('tokens_used') }}) as tokens_used,
        sum({{ carry_of('tokens_used') }}) as tokens_carry,
        sum({{ rest_of('cost_nano_usd') }}) as cost_nano_usd,
        sum({{ carry_of('cost_nano_usd') }}) as cost_carry,
        sum(({{ double('cost_nano_usd') }} / 1e9) * ({{ double('cost_nano_usd') }} / 1e9)) as cost_usd_squared,
        min(occurred_at) as first_used,
        max(occurred_at) as last_used,
        max(outcome_id) as last_outcome_id
    from new_outcomes
    -- Not in the order of the log's index: SQLite would read the whole index instead of the new rows.
    group by is_success, error_type, task_type, model_id

)

select * from totalled
