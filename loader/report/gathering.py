"""What the report shows, read from the marts: of the log's database, or of a published snapshot."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from loader import reading
from loader.reading import Answer

# So many cells times days are drawn at the most, the last ones: the page stays small enough to be mailed.
MAX_CELL_DAYS = 150_000


@dataclass(frozen=True)
class Contents:
    """The marts' rows as the page needs them; `as_of` is the time of the last outcome (UTC), None without one."""

    as_of: str | None
    rankings: Answer
    stats: Answer
    incumbents: dict[str, str]
    comparisons: Answer
    comparison_days: Answer
    demotions: Answer
    candidates: Answer
    days: list[dict[str, Any]]
    rejects: Answer
    changes: dict[str, Any] | None

    @property
    def task_types(self) -> list[str]:
        return sorted({row["task_type"] for row in self.rankings})


def gather(connection: sqlite3.Connection) -> Contents:
    """Read everything in one transaction, so that a build at work meanwhile does not matter."""
    connection.execute("begin")
    try:
        (as_of,) = connection.execute("select max(last_used) from model_stats").fetchone()
        rankings = reading.rows(
            connection, "select * from model_rankings order by task_type, rank is null, rank, model_id"
        )
        return Contents(
            as_of=as_of,
            rankings=rankings,
            stats=reading.stats(connection),
            incumbents=_incumbents(connection),
            comparisons=reading.rows(connection, "select * from ab_comparisons order by task_type, experiment_id"),
            comparison_days=reading.rows(connection, COMPARISON_DAYS),
            demotions=reading.demotion_candidates(connection),
            candidates=reading.ab_test_candidates(connection),
            days=_days(connection, len(rankings)),
            rejects=_rejects(connection),
            changes=_changes(connection),
        )
    finally:
        connection.execute("rollback")


COMPARISON_DAYS = """
    select experiment_id, outcome_date, difference, difference_lower, difference_upper
    from ab_comparison_days where difference is not null order by experiment_id, outcome_date
"""
DAYS = """
    select task_type, model_id, outcome_date, trials, successes, is_drift_alarm
    from model_daily_trends where outcome_date > ? order by task_type, model_id, outcome_date
"""
REJECTS = """
    select reasons.value as reason, count(*) as lines, max(rejected_at) as last_rejected_at
    from rejected_outcomes, json_each(rejected_outcomes.reasons) as reasons group by 1 order by 2 desc limit 200
"""
INCUMBENTS = """
    select task_type, incumbent_model_id from ab_test_candidates
    union select task_type, incumbent_model_id from demotion_candidates
    union select task_type, incumbent_model_id from ab_comparisons where is_declared = 0
"""


def _incumbents(connection: sqlite3.Connection) -> dict[str, str]:
    """By task type, as far as the marts name them: a task type with one model has no rival to name it."""
    return dict(connection.execute(INCUMBENTS).fetchall())


def _days(connection: sqlite3.Connection, cells: int) -> list[dict[str, Any]]:
    """A cell's last days without gaps: the first of them, and trials, successes and alarms by day."""
    (last,) = connection.execute("select max(outcome_date) from model_daily_trends").fetchone()
    if last is None:
        return []
    shown = max(28, MAX_CELL_DAYS // max(1, cells))
    after = (date.fromisoformat(last) - timedelta(days=shown)).isoformat()
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


def _rejects(connection: sqlite3.Connection) -> Answer:
    """Refused lines by reason, less what was found in place of the right thing; a snapshot has none."""
    if not _has(connection, "rejected_outcomes"):
        return []
    lines: dict[str, int] = defaultdict(int)
    for row in reading.rows(connection, REJECTS):
        lines[row["reason"].partition(", got ")[0]] += row["lines"]
    return [{"reason": reason, "lines": count} for reason, count in sorted(lines.items(), key=lambda item: -item[1])]


def _changes(connection: sqlite3.Connection) -> dict[str, Any] | None:
    """What the last scheduled run found new; None where none has run."""
    if not _has(connection, "run_history"):
        return None
    query = "select changes from run_history where changes is not null order by started_at desc limit 1"
    found = connection.execute(query).fetchone()
    return json.loads(found[0]) if found else None


def _has(connection: sqlite3.Connection, table: str) -> bool:
    return connection.execute("select 1 from sqlite_master where name = ?", (table,)).fetchone() is not None
