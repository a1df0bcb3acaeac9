-- The last 30 days of every model at every task type, up to the last day with an outcome that is not in the future.
with days as (

    select * from {{ ref('model_daily_trends') }}

),

last_days as (

    select {{ days_after('max(outcome_date)', -30) }} as before_first_date from days
    where outcome_date <= {{ last_day() }}

)

select
    days.outcome_date,
    days.task_type,
    days.model_id,
    days.trials,
    days.successes,
    days.success_rate,
    days.total_cost
from days
inner join last_days on days.outcome_date > last_days.before_first_date
order by days.task_type, days.model_id, days.outcome_date
