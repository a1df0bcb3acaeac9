with counted as (

    select * from {{ ref('int_model_days_counted') }}

),

numbers as (

    select * from {{ ref('int_numbers') }}

),

-- Not from `counted`: SQLite copies a CTE that is read twice, and a copy lacks the table's index.
spans as (

    select
        task_type,
        model_id,
        min(outcome_date) as first_date,
        max(case when outcome_date <= {{ last_day() }} then outcome_date end) as last_date,
        max(is_priced) as is_priced
    from {{ ref('int_model_days_counted') }}
    group by task_type, model_id

),

-- The calendar starts on the first day, so that a date years ahead hides no day. Such a date has a row of its own, and
-- the days before it are not filled in.
calendar as (

    select
        spans.task_type,
        spans.model_id,
        {{ days_after('spans.first_date', 'numbers.number') }} as outcome_date,
        0 as is_ahead
    from spans
    inner join numbers on numbers.number <= {{ days_between('spans.first_date', 'spans.last_date') }}
    union all
    select
        task_type,
        model_id,
        outcome_date,
        1 as is_ahead
    from {{ ref('int_model_days_counted') }}
    where outcome_date > {{ last_day() }}

),

-- The cost of a day without outcomes is known to be 0, unless the cell has never had a known cost.
filled as (

    select
        calendar.outcome_date,
        calendar.task_type,
        calendar.model_id,
        calendar.is_ahead,
        coalesce(counted.attempts, 0) as attempts,
        coalesce(counted.trials, 0) as trials,
        coalesce(counted.successes, 0) as successes,
        coalesce(counted.total_tokens, 0) as total_tokens,
        coalesce(counted.total_tokens_carry, 0) as total_tokens_carry,
        coalesce(counted.total_cost_nano_usd, 0) as total_cost_nano_usd,
        coalesce(counted.total_cost_carry, 0) as total_cost_carry,
        case
            when counted.attempts is not null then counted.is_priced
            when spans.is_priced = 0 then 0
        end as is_priced,
        coalesce(counted.priced_successes, 0) as priced_successes,
        coalesce(counted.priced_cost_nano_usd, 0) as priced_cost_nano_usd,
        coalesce(counted.priced_cost_carry, 0) as priced_cost_carry
    from calendar
    inner join spans on calendar.task_type = spans.task_type and calendar.model_id = spans.model_id
    left join counted
        on
            calendar.task_type = counted.task_type
            and calendar.model_id = counted.model_id
            and calendar.outcome_date = counted.outcome_date

),

-- Each row is one day, because the calendar has no gaps. A day ahead of the calendar has no earlier days.
windowed as (

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
    from filled
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

),

expected as (

    select
        *,
        {{ cusum_baseline('baseline_successes', 'baseline_trials') }} as baseline_success_rate
    from windowed

),

weighed as (

    select
        *,
        {{ is_monitored('baseline_success_rate') }} as is_monitored,
        {{ cusum_increment('successes', 'trials', 'baseline_success_rate') }} as cusum_increment
    from expected

),

summed as (

    select
        *,
        sum(cusum_increment) over cell_so_far as running_sum,
        sum(is_monitored) over cell_so_far as monitored_days
    from weighed
    window cell_so_far as (partition by task_type, model_id order by outcome_date rows unbounded preceding)

),

-- A cell counts from its first monitored day on, so that the threshold never falls because other cells pause.
measured as (

    select
        *,
        {{ cusum('running_sum', 'min(running_sum) over cell_so_far') }} as cusum,
        sum(case when is_monitored = 1 and monitored_days = 1 then 1 else 0 end) over so_far as monitored_cells
    from summed
    window
        cell_so_far as (partition by task_type, model_id order by outcome_date rows unbounded preceding),
        so_far as (order by outcome_date)

),

alarmed as (

    select
        *,
        {{ cusum_threshold('monitored_cells') }} as cusum_threshold,
        case when cusum >= {{ cusum_threshold('monitored_cells') }} then 1 else 0 end as is_drift_alarm
    from measured

)

select * from alarmed
