"""The content of the report, read from the marts in the log's database or in a published snapshot."""

from __future__ import annotations

import json
import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from model_outcomes.answers import build_settings, caveats, queries
from model_outcomes.answers.build_settings import BuildSettings
from model_outcomes.answers.caveats import Caveat, has
from model_outcomes.answers.queries import Answer

# Limits that keep the page small enough for an email. The page says what it leaves out.
MAX_TASK_TYPES = 200
MAX_CELLS = 2_000
MODELS_LEAST, MODELS_MOST = 10, 100  # of a task type
MAX_CELL_DAYS = 150_000
MAX_COMPARISONS = 300
MAX_COMPARISON_DAYS = 10_000
DAYS_LEAST = 28


@dataclass(frozen=True)
class Extent:
    """The size of the log and of the part that the page shows. A cell is a model at a task type."""

    trials: int
    models: int
    task_types: int
    cells: int
    shown_task_types: int
    shown_cells: int

    @property
    def is_cut(self) -> bool:
        return self.shown_cells < self.cells


@dataclass(frozen=True)
class Contents:
    """The rows of the marts that the page shows. `as_of` is the time of the last outcome (UTC), None without outcomes.

    `extent` says how much of a large log the lists hold. `changes` are those of the last run (see
    model_outcomes.job.findings), None if there was no run.
    """

    as_of: str | None
    extent: Extent
    settings: BuildSettings
    rankings: Answer
    stats: Answer
    recommendations: Answer
    comparisons: Answer
    comparison_days: Answer
    demotions: Answer
    candidates: Answer
    drifts: Answer
    days: list[dict[str, Any]]
    caveats: list[Caveat]
    changes: dict[str, Any] | None

    @cached_property
    def task_types(self) -> list[str]:
        return self._all("task_type")

    @cached_property
    def models(self) -> list[str]:
        return self._all("model_id")

    def _all(self, column: str) -> list[str]:
        """Return all values of a column, from the last build and from outcomes recorded since."""
        return sorted({row[column] for row in (*self.rankings, *self.stats, *self.days)})


def gather(
    connection: sqlite3.Connection, changes: dict[str, Any] | None = None, log: sqlite3.Connection | None = None
) -> Contents:
    """Read everything in one transaction, so that a build at the same time changes nothing.

    `changes` are those of a run that has not ended; without them those of the last run are read. `log` is the log if
    `connection` is to another file, with marts that another engine built: only the log has the rejected lines.
    """
    connection.execute("begin")
    try:
        # First: marts of an older version lack this table, and the message then says to build.
        connection.execute("select 1 from recommendations limit 1")
        (as_of,) = connection.execute("select max(last_used) from model_stats").fetchone()
        kept = [tuple(row) for row in connection.execute(KEPT).fetchall()]
        cells = json.dumps(kept)
        task_types = json.dumps(sorted({task_type for task_type, _ in kept}))
        comparisons = queries.rows(connection, COMPARISONS, (task_types,))
        return Contents(
            as_of=as_of,
            extent=_extent(connection, kept),
            settings=build_settings.read(connection),
            rankings=queries.rows(connection, RANKINGS, (cells,)),
            stats=queries.rows(connection, STATS, (cells,)),
            recommendations=queries.rows(connection, RECOMMENDATIONS, (task_types,)),
            comparisons=comparisons,
            comparison_days=_comparison_days(connection, comparisons),
            demotions=queries.rows(connection, DEMOTIONS, (cells,)),
            candidates=queries.rows(connection, CANDIDATES, (cells,)),
            drifts=queries.rows(connection, DRIFTS, (cells,)),
            days=_days(connection, len(kept), cells),
            caveats=caveats.of_data(connection, log),
            changes=changes or _changes(connection),
        )
    finally:
        connection.execute("rollback")


# The task types with the most trials; in each the leader, then the models tied with it, then the others by rank, then
# the retired ones.
KEPT = f"""
    with cells as (
        select
            model_stats.task_type,
            model_stats.model_id,
            model_stats.trials,
            row_number() over (
                partition by model_stats.task_type
                order by
                    model_rankings.rank is null,
                    model_rankings.is_retired,
                    model_rankings.rank <> 1,
                    model_rankings.is_tied_with_leader desc,
                    model_rankings.rank,
                    model_stats.trials desc,
                    model_stats.model_id
            ) as place
        from model_stats
        left join model_rankings using (task_type, model_id)
    ),
    task_types as (
        select task_type from cells group by task_type order by sum(trials) desc, task_type limit {MAX_TASK_TYPES}
    )
    select task_type, model_id
    from cells
    inner join task_types using (task_type)
    where place <= max({MODELS_LEAST}, min({MODELS_MOST}, {MAX_CELLS} / (select count(*) from task_types)))
    order by task_type, place
"""
IS_KEPT_CELL = """
    (task_type, model_id) in (
        select json_extract(value, '$[0]'), json_extract(value, '$[1]') from json_each(?1)
    )
"""
IS_KEPT_TASK_TYPE = "task_type in (select value from json_each(?1))"
EXTENT = """
    select
        coalesce(sum(trials), 0) as trials,
        count(distinct model_id) as models,
        count(distinct task_type) as task_types,
        count(*) as cells
    from model_stats
"""
# Some columns are named, so that an older build without them gives a clear error.
RANKINGS = f"""
    select *, standing, has_many_lost_attempts, is_retired
    from model_rankings
    where {IS_KEPT_CELL}
    order by task_type, rank is null, rank, model_id
"""
STATS = f"select * from model_stats where {IS_KEPT_CELL} order by task_type, model_id"
DEMOTIONS = f"select * from demotion_candidates where {IS_KEPT_CELL} order by task_type, model_id"
CANDIDATES = f"select * from ab_test_candidates where {IS_KEPT_CELL} order by task_type, model_id"
RECOMMENDATIONS = f"select * from recommendations where {IS_KEPT_TASK_TYPE} order by task_type"
# Leaves out experiments that ended without outcomes.
COMPARISONS = f"""
    select * from ab_comparisons
    where
        (incumbent_trials + challenger_trials > 0 or ended_at is null)
        and (task_type is null or {IS_KEPT_TASK_TYPE})
    order by is_declared desc, task_type, experiment_id
    limit {MAX_COMPARISONS}
"""
COMPARISON_DAYS = """
    select experiment_id, outcome_date, difference, difference_lower, difference_upper
    from ab_comparison_days
    where
        difference is not null
        and experiment_id in (select value from json_each(?1))
        and outcome_date > (select date(max(outcome_date), ?2) from ab_comparison_days)
    order by experiment_id, outcome_date
"""
DAYS = f"""
    select task_type, model_id, outcome_date, trials, successes, is_drift_alarm
    from model_daily_trends
    where {IS_KEPT_CELL} and outcome_date > ?2 and outcome_date <= date('now', '+1 day')
    order by task_type, model_id, outcome_date
"""
# A fall begins on the day after the CUSUM was last at 0.
DRIFTS = f"""
    with alarms as (
        select
            demotion_candidates.task_type,
            demotion_candidates.model_id,
            drifting_since,
            date(max(outcome_date), '+1 day') as began_on
        from demotion_candidates
        inner join model_daily_trends using (task_type, model_id)
        where {IS_KEPT_CELL} and is_drifting = 1 and outcome_date < drifting_since and coalesce(cusum, 0) = 0
        group by 1, 2, 3
    )
    select
        alarms.*,
        sum(case when outcome_date < began_on then trials else 0 end) as trials_before,
        sum(case when outcome_date < began_on then successes else 0 end) as successes_before,
        sum(case when outcome_date >= began_on then trials else 0 end) as trials_since,
        sum(case when outcome_date >= began_on then successes else 0 end) as successes_since
    from alarms
    inner join model_daily_trends using (task_type, model_id)
    where outcome_date >= date(began_on, '-28 days')
    group by 1, 2, 3, 4
    order by 1, 2
"""


def _extent(connection: sqlite3.Connection, kept: list[tuple[str, str]]) -> Extent:
    (sizes,) = queries.rows(connection, EXTENT)
    return Extent(**sizes, shown_task_types=len({task_type for task_type, _ in kept}), shown_cells=len(kept))


def _comparison_days(connection: sqlite3.Connection, comparisons: Answer) -> Answer:
    """Return the last days of each comparison, about MAX_COMPARISON_DAYS rows in all."""
    days = max(DAYS_LEAST, MAX_COMPARISON_DAYS // max(1, len(comparisons)))
    names = json.dumps([row["experiment_id"] for row in comparisons])
    return queries.rows(connection, COMPARISON_DAYS, (names, f"-{days} days"))


def _days(connection: sqlite3.Connection, count: int, cells: str) -> list[dict[str, Any]]:
    """Return the last days of each kept cell: the first day, then trials and successes of each day without gaps, and
    the numbers of the days with a drift alarm."""
    (last,) = connection.execute(
        "select max(outcome_date) from model_daily_trends where outcome_date <= date('now', '+1 day')"
    ).fetchone()
    if last is None:
        return []
    shown = max(DAYS_LEAST, MAX_CELL_DAYS // max(1, count))
    after = (date.fromisoformat(last) - timedelta(days=min(shown, 36_500))).isoformat()
    by_cell: dict[tuple[str, str], list[sqlite3.Row]] = defaultdict(list)
    for row in connection.execute(DAYS, (cells, after)):
        by_cell[row[0], row[1]].append(row)
    return [
        {
            "task_type": task_type,
            "model_id": model_id,
            "first": rows[0][2],
            "trials": [row[3] for row in rows],
            "successes": [row[4] for row in rows],
            "alarms": [number for number, row in enumerate(rows) if row[5]],
        }
        for (task_type, model_id), rows in by_cell.items()
    ]


def _changes(connection: sqlite3.Connection) -> dict[str, Any] | None:
    """Return the changes that the last run found; None in a snapshot, which has no `run_history`."""
    if not has(connection, "run_history"):
        return None
    query = "select changes from run_history where changes is not null order by run_id desc limit 1"
    row = connection.execute(query).fetchone()
    return json.loads(row[0]) if row else None


def by_task_type(rows: Answer) -> dict[str, Answer]:
    """Return the rows of each task type, in their order."""
    groups: dict[str, Answer] = defaultdict(list)
    for row in rows:
        groups[row["task_type"]].append(row)
    return groups
