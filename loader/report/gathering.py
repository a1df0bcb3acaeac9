"""What the report shows, read from the marts: of the log's database, or of a published snapshot."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from loader import reading
from loader.reading import Answer

# So many cells times days are drawn at the most, the last ones: the page stays small enough to be mailed.
MAX_CELL_DAYS = 150_000


@dataclass(frozen=True)
class Contents:
    """The marts' rows as the page needs them; `as_of` is the time of the last outcome (UTC), None without one.

    `changes` are those of a run (see loader.pipeline.findings), None where none has run.
    """

    as_of: str | None
    rankings: Answer
    stats: Answer
    incumbents: dict[str, str]
    comparisons: Answer
    comparison_days: Answer
    demotions: Answer
    candidates: Answer
    drifts: Answer
    outages: Answer
    days: list[dict[str, Any]]
    refused_lines: int
    rejects: Answer
    changes: dict[str, Any] | None

    @cached_property
    def task_types(self) -> list[str]:
        return self._all("task_type")

    @cached_property
    def models(self) -> list[str]:
        return self._all("model_id")

    def _all(self, column: str) -> list[str]:
        """Of the rankings, which are of the last build, and of what was recorded since."""
        return sorted({row[column] for row in (*self.rankings, *self.stats, *self.days)})


def gather(
    connection: sqlite3.Connection, changes: dict[str, Any] | None = None, log: sqlite3.Connection | None = None
) -> Contents:
    """Read everything in one transaction, so that a build at work meanwhile does not matter.

    `changes` of a run that is still at work; else those of the last one are read. `log` has the refused
    lines where the marts came of another engine, and lie in a file of their own.
    """
    log = log or connection
    connection.execute("begin")
    try:
        (as_of,) = connection.execute("select max(last_used) from model_stats").fetchone()
        rankings = reading.rows(
            connection, "select * from model_rankings order by task_type, rank is null, rank, model_id"
        )
        has_rejects = _has(log, "rejected_outcomes")
        return Contents(
            as_of=as_of,
            rankings=rankings,
            stats=reading.stats(connection),
            incumbents=dict(connection.execute(INCUMBENTS).fetchall()),
            comparisons=reading.rows(connection, COMPARISONS),
            comparison_days=reading.rows(connection, COMPARISON_DAYS),
            demotions=reading.demotion_candidates(connection),
            candidates=reading.ab_test_candidates(connection),
            drifts=reading.rows(connection, DRIFTS),
            outages=reading.rows(connection, OUTAGES),
            days=_days(connection, len(rankings)),
            refused_lines=_refused_lines(log) if has_rejects else 0,
            rejects=_rejects(log) if has_rejects else [],
            changes=changes or _changes(connection),
        )
    finally:
        connection.execute("rollback")


# What was declared and is over without any outcome is nobody's concern any more.
COMPARISONS = """
    select * from ab_comparisons
    where incumbent_trials + challenger_trials > 0 or ended_at is null
    order by is_declared desc, task_type, experiment_id
"""
COMPARISON_DAYS = """
    select experiment_id, outcome_date, difference, difference_lower, difference_upper
    from ab_comparison_days where difference is not null order by experiment_id, outcome_date
"""
DAYS = """
    select task_type, model_id, outcome_date, trials, successes, is_drift_alarm
    from model_daily_trends where outcome_date > ? and outcome_date <= date('now', '+1 day')
    order by task_type, model_id, outcome_date
"""
# The fall began after the last day on which nothing spoke for one: there the CUSUM left 0 for good.
DRIFTS = """
    with standing as (
        select
            demotion_candidates.task_type,
            demotion_candidates.model_id,
            drifting_since,
            date(max(outcome_date), '+1 day') as began_on
        from demotion_candidates
        inner join model_daily_trends using (task_type, model_id)
        where is_drifting = 1 and outcome_date < drifting_since and coalesce(cusum, 0) = 0
        group by 1, 2, 3
    )
    select
        standing.*,
        sum(case when outcome_date < began_on then trials else 0 end) as trials_before,
        sum(case when outcome_date < began_on then successes else 0 end) as successes_before,
        sum(case when outcome_date >= began_on then trials else 0 end) as trials_since,
        sum(case when outcome_date >= began_on then successes else 0 end) as successes_since
    from standing
    inner join model_daily_trends using (task_type, model_id)
    where outcome_date >= date(began_on, '-28 days')
    group by 1, 2, 3, 4
    order by 1, 2
"""
# Days on which most of a model's attempts never reached it.
OUTAGES = """
    select model_id, outcome_date, sum(attempts) as attempts, sum(attempts - trials) as infrastructure_failures
    from model_daily_trends
    group by model_id, outcome_date
    having sum(attempts - trials) >= 10 and 2 * sum(attempts - trials) >= sum(attempts)
    order by model_id, outcome_date
"""
REJECTS = """
    select reasons.value as reason, count(*) as lines
    from rejected_outcomes, json_each(rejected_outcomes.reasons) as reasons group by 1 order by 2 desc limit 200
"""
# As far as the marts name them: a task type with one model has no rival to name it.
INCUMBENTS = """
    select task_type, incumbent_model_id from ab_test_candidates
    union select task_type, incumbent_model_id from demotion_candidates
    union select task_type, incumbent_model_id from ab_comparisons where is_declared = 0
"""


def _days(connection: sqlite3.Connection, cells: int) -> list[dict[str, Any]]:
    """A cell's last days without gaps: the first of them, and trials, successes and alarms by day."""
    (last,) = connection.execute(
        "select max(outcome_date) from model_daily_trends where outcome_date <= date('now', '+1 day')"
    ).fetchone()
    if last is None:
        return []
    shown = max(28, MAX_CELL_DAYS // max(1, cells))
    after = (date.fromisoformat(last) - timedelta(days=min(shown, 36_500))).isoformat()
    found: dict[tuple[str, str], list[sqlite3.Row]] = defaultdict(list)
    for row in connection.execute(DAYS, (after,)):
        found[row[0], row[1]].append(row)
    return [
        {
            "task_type": task_type,
            "model_id": model_id,
            "first": rows[0][2],
            "trials": [row[3] for row in rows],
            "successes": [row[4] for row in rows],
            "alarms": [number for number, row in enumerate(rows) if row[5]],
        }
        for (task_type, model_id), rows in found.items()
    ]


def _refused_lines(connection: sqlite3.Connection) -> int:
    lines: int = connection.execute("select count(*) from rejected_outcomes").fetchone()[0]
    return lines


def _rejects(connection: sqlite3.Connection) -> Answer:
    """Refused lines by reason, less what was found in place of the right thing."""
    lines: dict[str, int] = defaultdict(int)
    for row in reading.rows(connection, REJECTS):
        lines[row["reason"].partition(", got ")[0]] += row["lines"]
    return [{"reason": reason, "lines": count} for reason, count in sorted(lines.items(), key=lambda item: -item[1])]


def _changes(connection: sqlite3.Connection) -> dict[str, Any] | None:
    """What the last run found new; a snapshot does not know."""
    if not _has(connection, "run_history"):
        return None
    query = "select changes from run_history where changes is not null order by run_id desc limit 1"
    found = connection.execute(query).fetchone()
    return json.loads(found[0]) if found else None


def _has(connection: sqlite3.Connection, table: str) -> bool:
    return connection.execute("select 1 from sqlite_master where name = ?", (table,)).fetchone() is not None
