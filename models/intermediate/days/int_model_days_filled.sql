with counted as (

    select * from {{ ref('int_model_days_counted') }}

),

numbers as (

    select * from {{ ref('int_numbers') }}

),

-- Not from counted: what is read twice, SQLite copies, and does without the table's index.
spans as (

    select
        task_type,
        model_id,
        min(outcome_date) as first_date,
        max(outcome_date) as last_date
    from {{ ref('int_model_days_counted') }}
    group by task_type, model_id

),

-- Backwards from the last day: a date of long ago that is a slip then costs its own cell its oldest gaps alone.
calendar as (

    select
        spans.task_type,
        spans.model_id,
        {{ days_after('spans.last_date', '-numbers.number') }} as outcome_date
    from spans
    inner join numbers on numbers.number <= {{ days_between('spans.first_date', 'spans.last_date') }}

),

filled as (

    select
        calendar.outcome_date,
        calendar.task_type,
        calendar.model_id,
        coalesce(counted.attempts, 0) as attempts,
        coalesce(counted.trials, 0) as trials,
        coalesce(counted.successes, 0) as successes,
        coalesce(counted.total_tokens, 0) as total_tokens,
        coalesce(counted.total_cost_nano_usd, 0) as total_cost_nano_usd,
        coalesce(counted.priced_successes, 0) as priced_successes,
        coalesce(counted.priced_cost_nano_usd, 0) as priced_cost_nano_usd
    from calendar
    left join counted
        on
            calendar.task_type = counted.task_type
            and calendar.model_id = counted.model_id
            and calendar.outcome_date = counted.outcome_date

)

select * from filled
