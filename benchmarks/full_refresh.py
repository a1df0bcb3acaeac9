"""A full refresh of the rollups against the same aggregation written by hand.

By hand: one `create table as` per rollup through Python's sqlite3 into the same file, with none of
the staging, chunks and constraints that let writers go on meanwhile. Target: at most 1.3 times its time.
"""

from __future__ import annotations

import sqlite3
import statistics
import time
from contextlib import closing

from benchmarks.measuring import History, paired_ratio, print_table

ROUNDS = 3

SUMS = """
    count(*) as outcomes,
    sum(timeout = 1 and success = 0) as timeouts,
    sum(tokens_used > 0) as metered_outcomes,
    sum(cost_usd > 0 or cost_source is not null) as priced_outcomes,
    sum(tokens_used) as tokens_used,
    sum(cast(floor(cost_usd * 1e9 + 0.5) as integer)) as cost_nano_usd,
    sum(cost_usd * cost_usd) as cost_usd_squared,
    max(id) as last_outcome_id
"""

BY_HAND = {
    "int_outcomes_totals": f"""
        create table by_hand as
        select
            task_type, model_id, coalesce(error_type, '') as error_type, success, {SUMS},
            min(strftime('%Y-%m-%d %H:%M:%f', timestamp)) as first_used,
            max(strftime('%Y-%m-%d %H:%M:%f', timestamp)) as last_used
        from model_outcomes
        group by success, coalesce(error_type, ''), task_type, model_id
    """,
    "int_outcomes_daily": f"""
        create table by_hand as
        select
            date(timestamp) as outcome_date, task_type, model_id, coalesce(error_type, '') as error_type, success,
            {SUMS}
        from model_outcomes
        group by date(timestamp), task_type, model_id, coalesce(error_type, ''), success
    """,
}


def main(history: History) -> None:
    figures = {rollup: measure(history, rollup) for rollup in BY_HAND}
    print_table(
        f"Full refresh over {history.rows:,} outcomes, {ROUNDS} rounds (target: ratio <= 1.3)",
        ("rollup", "dbt", "by hand", "ratio"),
        [
            (rollup, f"{statistics.median(ours):.1f} s", f"{statistics.median(theirs):.1f} s",
             f"**{paired_ratio(ours, theirs):.2f}**")
            for rollup, (ours, theirs) in figures.items()
        ],
    )  # fmt: skip


def measure(history: History, rollup: str) -> tuple[list[float], list[float]]:
    """The seconds of each round, of dbt and by hand; they take turns in being the first."""
    ours: list[float] = []
    theirs: list[float] = []
    for number in range(ROUNDS):
        if number % 2:
            theirs.append(by_hand(history, BY_HAND[rollup]))
        ours.append(history.build("--full-refresh", "--select", rollup))
        if not number % 2:
            theirs.append(by_hand(history, BY_HAND[rollup]))
    return ours, theirs


def by_hand(history: History, statement: str) -> float:
    with closing(sqlite3.connect(history.path, timeout=60, isolation_level=None)) as connection:
        begun = time.perf_counter()
        connection.execute(statement)
        taken = time.perf_counter() - begun
        connection.execute("drop table by_hand")
    return taken
