"""Caveats: problems in the data that make figures less trustworthy. One list for doctor, report, run and explorer.

Each caveat says what is wrong, what follows, where, and what to do. The figures come from the marts by SQL. Some facts
are only in the log (rejected lines, seeds), so the published snapshot gets the whole list as its table `caveats`.

`caveat` defines a caveat. `checks` lists the checks: `records` (what was loaded), `failures` (why attempts failed) and
`comparisons` (what models are compared by). `twins` finds names that are spelled in two ways. `table` is the list in
a snapshot.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

from model_outcomes.answers.caveats.caveat import Caveat, Kind, Place, has
from model_outcomes.answers.caveats.checks import CHECKS, OF_THE_LOG
from model_outcomes.answers.caveats.table import COLUMNS, DESCRIPTION, TABLE, as_rows, stored
from model_outcomes.answers.phrases import counted
from model_outcomes.base import clock

__all__ = [
    "COLUMNS", "DAY_S", "DESCRIPTION", "TABLE", "Caveat", "Kind", "Place", "as_rows", "has", "newest_at", "of_data",
    "read", "stale",
]  # fmt: skip

DAY_S = 86_400.0


def read(
    marts: sqlite3.Connection, log: sqlite3.Connection | None, now: datetime, quiet_after_s: float = DAY_S
) -> list[Caveat]:
    """Return all caveats as of `now` (UTC), the most serious first. `of_data` explains the connections."""
    return [*stale(newest_at(log or marts, now), now, quiet_after_s), *of_data(marts, log)]


def of_data(marts: sqlite3.Connection, log: sqlite3.Connection | None = None) -> list[Caveat]:
    """Return the caveats that do not depend on the current time, the most serious first.

    `marts` is a connection to the log's database, to a file with the marts of another engine, or to a published
    snapshot, which holds its own list. `log` is a connection to the log if that is another file: it has the rejected
    lines and the seeds. The last caveat names the checks whose tables are missing or from an older build.
    """
    if has(marts, TABLE):
        return stored(marts)
    caveats: list[Caveat] = []
    not_checked: list[str] = []
    for kind, check in CHECKS.items():
        try:
            caveats += check(log or marts) if kind in OF_THE_LOG else check(marts)
        except sqlite3.OperationalError as fault:
            if not str(fault).startswith(("no such table", "no such column")):
                raise
            not_checked.append(kind.value.replace("_", " "))
    return caveats + list(_not_checked(not_checked))


def newest_at(connection: sqlite3.Connection, now: datetime) -> str | None:
    """Return the time of the newest outcome that is not in the future, None if there is none."""
    has_log = has(connection, "model_outcomes")
    table, column = ("model_outcomes", "timestamp") if has_log else ("model_stats", "last_used")
    newest: str | None = connection.execute(
        f"select max({column}) from {table} where {column} <= ?", (clock.to_text(now),)
    ).fetchone()[0]
    return newest


def stale(newest: str | None, now: datetime, quiet_after_s: float = DAY_S) -> Iterator[Caveat]:
    """Yield a caveat if `newest`, the time of the last outcome, is more than `quiet_after_s` before `now`."""
    if newest is None:
        yield Caveat(
            Kind.STALE, "No outcomes", "The log is empty.", "Record or load outcomes: loader record, loader load FILE."
        )
        return
    moment = datetime.fromisoformat(newest.strip().replace("Z", "+00:00"))
    age = now - (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
    if age.total_seconds() > quiet_after_s:
        length = counted(age.days, "day") if age.days else counted(int(age.total_seconds() // 3600), "hour")
        yield Caveat(
            Kind.STALE,
            "No new outcomes",
            f"The last outcome is from {newest[:10]}, {length} before this check. The recorder may have stopped.",
            "Check that your programs still record, and to which file.",
            figures={"newest_at": newest, "age_seconds": round(age.total_seconds()), "limit_seconds": quiet_after_s},
        )


def _not_checked(names: Sequence[str]) -> Iterator[Caveat]:
    if names:
        yield Caveat(
            Kind.NOT_CHECKED,
            "Not checked",
            f"The tables for these checks are missing or from an older build: {', '.join(names)}.",
            "Run loader build.",
        )
