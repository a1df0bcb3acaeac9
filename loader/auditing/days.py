"""The days of a model at a task type, computed again: SQL over the temporary view of attributed outcomes."""

from __future__ import annotations

MODEL_DAYS = """
create temporary table audited_days as
select
    task_type, known_as as model_id, outcome_date, sum(outcomes) as attempts, sum(iif(is_void, 0, outcomes)) as trials,
    sum(iif(success, outcomes, 0)) as successes, sum(tokens) as tokens, sum(nano_usd) as nano_usd
from audited_outcomes
where mark <= :mark
group by 1, 2, 3
"""

BY_DAY = "create unique index temp.audited_days_key on audited_days (task_type, model_id, outcome_date)"

# Every day from a cell's first to its last, 40,000 at most; each against the days before it.
TRENDS = """
with recursive calendar as (
    select task_type, model_id, max(outcome_date) as day, min(outcome_date) as first_day, 1 as days
    from audited_days
    group by 1, 2
    union all
    select task_type, model_id, date(day, '-1 day'), first_day, days + 1
    from calendar
    where day > first_day and days < 40000
)
select
    day, calendar.task_type, calendar.model_id,
    coalesce(sum(attempts) filter (where outcome_date = day), 0),
    coalesce(sum(trials) filter (where outcome_date = day), 0),
    coalesce(sum(successes) filter (where outcome_date = day), 0),
    coalesce(sum(tokens) filter (where outcome_date = day), 0),
    coalesce(sum(nano_usd) filter (where outcome_date = day), 0),
    coalesce(sum(trials) filter (where outcome_date >= date(day, '-6 days')), 0),
    coalesce(sum(successes) filter (where outcome_date >= date(day, '-6 days')), 0),
    coalesce(sum(tokens) filter (where outcome_date >= date(day, '-6 days')), 0),
    coalesce(sum(nano_usd) filter (where outcome_date >= date(day, '-6 days')), 0),
    coalesce(sum(trials), 0), coalesce(sum(successes), 0), coalesce(sum(tokens), 0), coalesce(sum(nano_usd), 0)
from calendar
left join audited_days
    on audited_days.task_type = calendar.task_type and audited_days.model_id = calendar.model_id
    and outcome_date between date(day, '-27 days') and day
group by 1, 2, 3
"""
