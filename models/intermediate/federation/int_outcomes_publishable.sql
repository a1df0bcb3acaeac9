with days as (

    select * from {{ ref('int_outcomes_daily_attributed') }}

),

-- Values that opening balances do not have are null: the priced outcomes, and all squares.
combined as (

    select
        task_type,
        recorded_model_id,
        model_id,
        0 as is_opening,
        outcome_date,
        is_success,
        is_trial,
        outcomes,
        timeouts,
        metered_outcomes,
        priced_outcomes,
        tokens_used,
        tokens_carry,
        tokens_squared,
        cost_nano_usd,
        cost_carry,
        cost_usd_squared
    from days
    union all
    select
        balances.task_type,
        balances.model_id as recorded_model_id,
        coalesce(aliases.model_id, balances.model_id) as model_id,
        1 as is_opening,
        null as outcome_date,
        balances.is_success,
        1 as is_trial,
        balances.outcomes,
        balances.timeouts,
        null as metered_outcomes,
        null as priced_outcomes,
        balances.tokens_used,
        balances.tokens_carry,
        null as tokens_squared,
        balances.cost_nano_usd,
        balances.cost_carry,
        null as cost_usd_squared
    from {{ ref('int_legacy_balances') }} as balances
    left join {{ ref('model_aliases') }} as aliases on balances.model_id = aliases.alias

),

-- A published name belongs to the recorded name of its first export, so a later alias does not change it. The cast is
-- needed because an expression has no affinity: without it, SQLite would not use the index on names.
published as (

    select
        combined.task_type as recorded_task_type,
        combined.recorded_model_id,
        cast(coalesce(task_types.published_name, combined.task_type) as {{ text_type() }}) as task_type,
        cast(coalesce(own.published_name, known.published_name, combined.model_id) as {{ text_type() }}) as model_id,
        combined.is_opening,
        combined.outcome_date,
        combined.outcomes,
        (1 - combined.is_success) * combined.timeouts as timeouts,
        combined.is_success * combined.outcomes as successes,
        (1 - combined.is_trial) * combined.outcomes as infrastructure_failures,
        combined.is_trial * combined.metered_outcomes as metered_trials,
        combined.is_trial * combined.priced_outcomes as priced_trials,
        combined.is_success * combined.priced_outcomes as priced_successes,
        combined.is_trial * combined.tokens_used as tokens,
        combined.is_trial * combined.tokens_carry as tokens_carry,
        combined.is_trial * combined.tokens_squared as tokens_squared,
        combined.is_trial * combined.cost_nano_usd as cost_nano_usd,
        combined.is_trial * combined.cost_carry as cost_carry,
        combined.is_trial * combined.cost_usd_squared as cost_usd_squared,
        case when combined.is_opening = 0 then combined.is_success * combined.cost_nano_usd end
            as success_cost_nano_usd,
        case when combined.is_opening = 0 then combined.is_success * combined.cost_carry end as success_cost_carry,
        case when combined.is_opening = 0 then (1 - combined.is_trial) * combined.tokens_used end
            as infrastructure_tokens,
        case when combined.is_opening = 0 then (1 - combined.is_trial) * combined.tokens_carry end
            as infrastructure_tokens_carry,
        case when combined.is_opening = 0 then (1 - combined.is_trial) * combined.cost_nano_usd end
            as infrastructure_cost_nano_usd,
        case when combined.is_opening = 0 then (1 - combined.is_trial) * combined.cost_carry end
            as infrastructure_cost_carry
    from combined
    left join {{ ref('stg_federated_names') }} as task_types
        on task_types.kind = 'task_type' and combined.task_type = task_types.name
    left join {{ ref('stg_federated_names') }} as own
        on own.kind = 'model_id' and combined.recorded_model_id = own.name
    left join {{ ref('stg_federated_names') }} as known
        on known.kind = 'model_id' and combined.model_id = known.name

)

select * from published
