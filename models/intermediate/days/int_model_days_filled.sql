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

)

select * from filled
