"""What in the data should not be trusted: one list for doctor, report, run summary and explorer.

Each caveat says what is off, what follows, where, and what to do. The figures come from the marts by SQL; what
only the log knows (rejected lines, seeds) is copied into the published snapshot, in its table `caveats`.

`caveat` is what a caveat is. `checks` has them all: `records` of what came in, `failures` of what failed,
`comparisons` of what models are compared by; `querying` is how they ask. `table` is the list in a snapshot.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

from model_outcomes.answers.caveats.caveat import Caveat, Kind, Place
from model_outcomes.answers.caveats.checks import CHECKS, OF_THE_LOG
from model_outcomes.answers.caveats.queries import has
from model_outcomes.answers.caveats.table import COLUMNS, DESCRIPTION, TABLE, as_rows, stored
from model_outcomes.answers.phrases import counted
from model_outcomes.base import clock

__all__ = [
    "COLUMNS", "DAY_S", "DESCRIPTION", "TABLE", "Caveat", "Kind", "Place", "as_rows", "newest_at", "of_data", "read",
    "stale",
]  # fmt: skip

DAY_S = 86_400.0


def read(
    marts: sqlite3.Connection, log: sqlite3.Connection | None, now: datetime, quiet_after_s: float = DAY_S
) -> list[Caveat]:
    """Return all caveats as of `now` (UTC), the gravest first. See `of_data` for the connections."""
    return [*stale(newest_at(log or marts, now), now, quiet_after_s), *of_data(marts, log)]


def of_data(marts: sqlite3.Connection, log: sqlite3.Connection | None = None) -> list[Caveat]:
    """Return the caveats that do not depend on the time of asking, the gravest first.

    `marts` is the log's database, a file with the marts that another engine built, or a published snapshot, which
    has the list that was written with it. `log` has rejected lines and seeds, if that is another file. The last
    caveat names the checks whose tables are missing or of an older build.
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
    """Return the time of the newest outcome that is not in the future; None if there is no such outcome."""
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
            Kind.STALE, "No outcomes", "The log is empty.", "Record or load some: loader record, loader load FILE."
        )
        return
    moment = datetime.fromisoformat(newest.strip().replace("Z", "+00:00"))
    age = now - (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
    if age.total_seconds() > quiet_after_s:
        length = counted(age.days, "day") if age.days else counted(int(age.total_seconds() // 3600), "hour")
        yield Caveat(
            Kind.STALE,
            "No news",
            f"The last outcome is of {newest[:10]}, {length} before this was written. The recorder may have stopped.",
            "Check that the agents still record, and into which file.",
            figures={"newest_at": newest, "age_seconds": round(age.total_seconds()), "limit_seconds": quiet_after_s},
        )


def _not_checked(names: Sequence[str]) -> Iterator[Caveat]:
    if names:
        yield Caveat(
            Kind.NOT_CHECKED,
            "Not checked",
            f"The tables behind these caveats are missing or of an older build: {', '.join(names)}.",
            "Build: loader build.",
        )
