"""SQL that computes the days of each model at each task type again, over the temporary view audited_outcomes."""

from __future__ import annotations

from model_outcomes.care.audit.rollups import WITHIN

MODEL_DAYS = f"""
create temporary table audited_days as
select
    task_type, known_as as model_id, outcome_date, sum(outcomes) as attempts, sum(iif(is_void, 0, outcomes)) as trials,
    sum(iif(success, outcomes, 0)) as successes,
    sum(iif(is_void, nano_usd_billions > 0 or nano_usd_rest > 0, priced)) as priced,
    sum(tokens_billions) as tokens_billions, sum(tokens_rest) as tokens_rest,
    sum(nano_usd_billions) as nano_usd_billions, sum(nano_usd_rest) as nano_usd_rest
from audited_outcomes
where {WITHIN}
group by 1, 2, 3
having sum(outcomes) > 0
"""

BY_DAY = "create unique index temp.audited_days_key on audited_days (task_type, model_id, outcome_date)"

# The sums over the days of a window. A cost is null if no attempt in the window was priced, or none of the cell ever.
# A window without attempts costs 0.
_WINDOW = """coalesce(sum(trials){0}, 0), coalesce(sum(successes){0}, 0),
    count_of(sum(tokens_billions){0}, sum(tokens_rest){0}),
    iif(
        is_ever_priced and (coalesce(sum(attempts){0}, 0) = 0 or sum(priced){0} > 0),
        nano_of(sum(nano_usd_billions){0}, sum(nano_usd_rest){0}), null
    )"""

# Every day from the first to the last of a cell, up to the day after the build. Later days only if they have outcomes.
TRENDS = f"""
with recursive cells as (
    select
        task_type, model_id, min(outcome_date) as first_day,
        max(outcome_date) filter (where outcome_date <= :last_day) as last_day, sum(priced) > 0 as is_ever_priced
    from audited_days
    group by 1, 2
),
calendar as (
    select task_type, model_id, first_day as day, last_day from cells where first_day <= last_day
    union all
    select task_type, model_id, date(day, '+1 day'), last_day from calendar where day < last_day
),
shown as (
    select task_type, model_id, day, date(day, '-27 days') as since from calendar
    union all
    select task_type, model_id, outcome_date, outcome_date from audited_days where outcome_date > :last_day
)
select
    day, shown.task_type, shown.model_id,
    coalesce(sum(attempts) filter (where outcome_date = day), 0),
    {_WINDOW.format(" filter (where outcome_date = day)")},
    {_WINDOW.format(" filter (where outcome_date >= date(day, '-6 days'))")},
    {_WINDOW.format("")}
from shown
inner join cells on cells.task_type = shown.task_type and cells.model_id = shown.model_id
left join audited_days
    on audited_days.task_type = shown.task_type and audited_days.model_id = shown.model_id
    and outcome_date between since and day
group by 1, 2, 3
"""
