"""A period that a question is about: all outcomes from a time on.

`model_stats` has no days. For a period, its own SQL is asked again, over the outcomes of the period in place of all
outcomes: the body of its view, with a common table expression under the name of the view that it reads. So every
formula stays in the dbt project.
"""

from __future__ import annotations

import re
import sqlite3
from datetime import datetime

from model_outcomes.base import clock
from model_outcomes.base.errors import NotBuiltError, OutcomesError
from model_outcomes.log import validation

VIEW = "int_models_rated"
UNIT = 10**11  # a sum is two integers, as in the rollups (macros/amounts.sql), because one could need more than 64 bits

# The columns of int_outcomes_attributed that the view reads, from the corrected outcomes since :since.
OUTCOMES = f"""
    select
        outcomes.task_type,
        coalesce(aliases.model_id, outcomes.model_id) as model_id,
        outcomes.is_success,
        0 as is_legacy,
        case when outcomes.is_success = 0 and types.attribution = 'infrastructure' then 0 else 1 end as is_trial,
        case
            when outcomes.is_success = 0 and outcomes.error_type <> '' and types.attribution is null then 1
            else 0
        end as has_unknown_cause,
        1 as outcomes,
        outcomes.is_timeout as timeouts,
        outcomes.is_metered as metered_outcomes,
        outcomes.is_priced as priced_outcomes,
        outcomes.tokens_used % {UNIT} as tokens_used,
        outcomes.tokens_used / {UNIT} as tokens_carry,
        outcomes.cost_nano_usd % {UNIT} as cost_nano_usd,
        outcomes.cost_nano_usd / {UNIT} as cost_carry,
        null as cost_usd_squared,
        outcomes.occurred_at as first_used,
        outcomes.occurred_at as last_used,
        null as timestamp_text
    from int_outcomes_corrected as outcomes
    left join model_aliases as aliases on outcomes.model_id = aliases.alias
    left join int_error_types as types on outcomes.error_type = types.error_type
    where outcomes.occurred_at >= :since and (:task_type is null or outcomes.task_type = :task_type)
"""


def moment(time: str | datetime) -> str:
    """Return a time, such as 2026-01-31 or 2026-01-31T12:00:00Z, in the format of `occurred_at`; a day means midnight
    UTC. Raises InvalidOutcome, an OutcomesError, if the text holds no time."""
    text = time.isoformat() if isinstance(time, datetime) else time
    full = f"{text}T00:00:00Z" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text
    utc = clock.to_text(validation.parse_time(full))
    return f"{utc[:10]} {utc[11:23]}"


def start(connection: sqlite3.Connection, since: str | None, days: int | None) -> str | None:
    """Return the first moment of a period in the format of `occurred_at`, or None without a period.

    `days` is a number of days up to the last day of the log with an outcome, as in `loader trends`. Days after tomorrow
    do not count, because they come from wrong clocks. Raises OutcomesError if both are given.
    """
    if since is not None and days is not None:
        raise OutcomesError("--since and --days are two ways to name one period: give one of them")
    if days is None:
        return None if since is None else moment(since)
    last_day = "select max(outcome_date) from int_outcomes_daily_attributed where outcome_date <= date('now', '+1 day')"
    ((first_day,),) = connection.execute(f"select date(({last_day}), ?)", (f"-{days - 1} days",)).fetchall()
    return moment(first_day or "0001-01-01")


def stats_query(connection: sqlite3.Connection) -> str:
    """Return the query of `model_stats` over the outcomes of a task type (:task_type, all if null) from :since on.

    Opening balances have no time and are left out.
    """
    row = connection.execute("select sql from sqlite_master where type = 'view' and name = ?", (VIEW,)).fetchone()
    body = re.fullmatch(r"\s*create\s+view\s+\S+\s+as\s+(.*?);?\s*", row[0] if row else "", re.I | re.S)
    if body is None:
        raise NotBuiltError("a period needs the log and a build of it: run `loader build`")
    return f"with int_outcomes_attributed as ({OUTCOMES}) select * from ({body[1]})"
