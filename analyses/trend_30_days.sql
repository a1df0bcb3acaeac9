-- The last 30 days of every model at every task type, up to the last day with an outcome.
select
    outcome_date,
    task_type,
    model_id,
    trials,
    successes,
    success_rate,
    total_cost
from {{ ref('model_daily_trends') }}
where outcome_date > (
    select {{ days_after('max(outcome_date)', -30) }} from {{ ref('model_daily_trends') }}
    where outcome_date <= {{ last_day() }}
)
order by task_type, model_id, outcome_date
