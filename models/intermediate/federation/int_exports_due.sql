with unexported as (

    select * from {{ ref('int_outcomes_unexported') }}

),

recounted as (

    select * from {{ ref('int_exports_recounted') }}

),

exports as (

    select * from {{ ref('stg_federated_exports') }}

),

-- The next window ends with the last whole month. Outcomes that it leaves out go into the window after it.
next_window as (

    select
        {{ at_least(last_closed_month_end(), "coalesce(max(window_last_day), '')") }} as window_last_day,
        case when count(epsilon) > 0 then 1 else 0 end as has_noisy_exports
    from exports

),

parts as (

    select
        unexported.task_type,
        unexported.model_id,
        sum(unexported.outcomes) as outcomes,
        sum(unexported.successes) as successes,
        sum(unexported.timeouts) as timeouts,
        sum(unexported.infrastructure_failures) as infrastructure_failures,
        sum(unexported.tokens) as tokens,
        sum(unexported.tokens_carry) as tokens_carry,
        sum(unexported.cost_nano_usd) as cost_nano_usd,
        sum(unexported.cost_carry) as cost_carry,
        case
            when sum(unexported.priced_trials) > 0 then 1
            when sum(unexported.cost_nano_usd) > 0 or sum(unexported.cost_carry) > 0 then 1
            else 0
        end as is_priced,
        min(unexported.outcome_date) as first_day,
        max(unexported.outcome_date) as last_day,
        sum(unexported.outcomes) as changed_outcomes
    from unexported
    inner join next_window
        on unexported.is_opening = 1 or unexported.outcome_date <= next_window.window_last_day
    group by unexported.is_opening, unexported.task_type, unexported.model_id
    having sum(unexported.outcomes) > 0 or unexported.is_opening = 1
    union all
    select
        task_type,
        model_id,
        late_outcomes as outcomes,
        successes - exported_successes as successes,
        timeouts - exported_timeouts as timeouts,
        infrastructure_failures - exported_infrastructure_failures as infrastructure_failures,
        tokens - exported_tokens as tokens,
        tokens_carry - exported_tokens_carry as tokens_carry,
        cost_nano_usd - exported_cost_nano_usd as cost_nano_usd,
        cost_carry - exported_cost_carry as cost_carry,
        case when priced_trials > 0 or cost_nano_usd > 0 or cost_carry > 0 then 1 else 0 end as is_priced,
        first_day,
        last_day,
        changed_outcomes
    from recounted

),

judged as (

    select
        parts.*,
        next_window.window_last_day,
        next_window.has_noisy_exports,
        case when parts.changed_outcomes >= {{ var('min_exported_outcomes') }} then 1 else 0 end as is_due
    from parts
    cross join next_window

)

select * from judged
