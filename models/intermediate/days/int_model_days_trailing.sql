with days as (

    select * from {{ ref('int_model_days_filled') }}

),

-- Each row is one day, because the calendar has no gaps. A day ahead of the calendar has no earlier days.
summed as (

    select
        *,
        sum(trials) over trailing_7d as trailing_7d_trials,
        sum(successes) over trailing_7d as trailing_7d_successes,
        sum(total_tokens) over trailing_7d as trailing_7d_total_tokens,
        sum(total_tokens_carry) over trailing_7d as trailing_7d_total_tokens_carry,
        sum(total_cost_nano_usd) over trailing_7d as trailing_7d_total_cost_nano_usd,
        sum(total_cost_carry) over trailing_7d as trailing_7d_total_cost_carry,
        max(is_priced) over trailing_7d as is_trailing_7d_priced,
        sum(priced_successes) over trailing_7d as trailing_7d_priced_successes,
        sum(priced_cost_nano_usd) over trailing_7d as trailing_7d_priced_cost_nano_usd,
        sum(priced_cost_carry) over trailing_7d as trailing_7d_priced_cost_carry,
        sum(trials) over trailing_28d as trailing_28d_trials,
        sum(successes) over trailing_28d as trailing_28d_successes,
        sum(total_tokens) over trailing_28d as trailing_28d_total_tokens,
        sum(total_tokens_carry) over trailing_28d as trailing_28d_total_tokens_carry,
        sum(total_cost_nano_usd) over trailing_28d as trailing_28d_total_cost_nano_usd,
        sum(total_cost_carry) over trailing_28d as trailing_28d_total_cost_carry,
        max(is_priced) over trailing_28d as is_trailing_28d_priced,
        sum(priced_successes) over trailing_28d as trailing_28d_priced_successes,
        sum(priced_cost_nano_usd) over trailing_28d as trailing_28d_priced_cost_nano_usd,
        sum(priced_cost_carry) over trailing_28d as trailing_28d_priced_cost_carry,
        sum(trials) over baseline as baseline_trials,
        sum(successes) over baseline as baseline_successes
    from days
    window
        trailing_7d as (
            partition by task_type, model_id, case when is_ahead = 1 then outcome_date end
            order by outcome_date
            rows between 6 preceding and current row
        ),
        trailing_28d as (
            partition by task_type, model_id, case when is_ahead = 1 then outcome_date end
            order by outcome_date
            rows between 27 preceding and current row
        ),
        baseline as (
            partition by task_type, model_id, case when is_ahead = 1 then outcome_date end
            order by outcome_date
            rows between
            {{ var('cusum_baseline_first_day') }} preceding
            and {{ var('cusum_baseline_last_day') }} preceding
        )

)

select * from summed
