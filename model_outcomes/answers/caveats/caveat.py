"""A caveat: its kind, texts, and the places where it holds; and how a check makes one from a query.

Code branches on the kind, never on a text.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from typing import Any

import msgspec

from model_outcomes.answers import queries
from model_outcomes.answers.phrases import named

PLACES_SHOWN = 8  # a caveat names so many places and counts the others
NAME_WIDTH = 60
REASON_WIDTH = 100


class Kind(str, Enum):
    """The kinds of caveats, the gravest first."""

    STALE = "stale"
    DEGENERATE = "degenerate"
    LOST_ATTEMPTS = "lost_attempts"
    OUTAGES = "outages"
    UNKNOWN_ERROR_TYPES = "unknown_error_types"
    TWIN_NAMES = "twin_names"
    TRAFFIC_MISMATCH = "traffic_mismatch"
    MIX_SHIFT = "mix_shift"
    CONFOUNDED_LEADER = "confounded_leader"
    TWO_LEADERS = "two_leaders"
    REJECTED_LINES = "rejected_lines"
    UNREADABLE_FILES = "unreadable_files"
    MANY_MODELS = "many_models"
    MISSING_TIMEOUTS = "missing_timeouts"
    UNRECORDED_NAMES = "unrecorded_names"
    UNPRICED = "unpriced"
    OPENING_BALANCES = "opening_balances"
    STALE_TASK_TYPES = "stale_task_types"
    FEW_TRIALS = "few_trials"
    NOT_CHECKED = "not_checked"


class Place(msgspec.Struct, frozen=True):
    """A place where a caveat holds, in words and figures. Task type or model is None if it is about several."""

    text: str
    task_type: str | None = None
    model_id: str | None = None
    figures: dict[str, Any] = {}


class Caveat(msgspec.Struct, frozen=True):
    """A caveat with texts that are ready to show.

    `consequence` says what follows from it. `next_step` says what to do, None if nothing can be done. `places` has the
    first PLACES_SHOWN of `place_count` places. `figures` are about all places together.
    """

    kind: Kind
    title: str
    consequence: str
    next_step: str | None = None
    places: Sequence[Place] = ()
    place_count: int = 0
    figures: dict[str, Any] = {}

    def place_texts(self) -> list[str]:
        """Return the places in words; a last line counts the places that are left out."""
        more = self.place_count - len(self.places)
        return [place.text for place in self.places] + ([f"and {more:,} more"] if more > 0 else [])


Check = Callable[[sqlite3.Connection], Iterator[Caveat]]


def caveat_of(
    connection: sqlite3.Connection,
    query: str,
    order: str,
    text: Callable[[dict[str, Any]], str],
    kind: Kind,
    title: str,
    consequence: str,
    next_step: str | None = None,
    *,
    figures: dict[str, Any] | None = None,
    hidden: Sequence[str] = (),
) -> Iterator[Caveat]:
    """Yield a caveat if `query` has rows. Each row is a place; its columns except the `hidden` ones are the figures."""
    rows = queries.rows(
        connection, f"select *, count(*) over () as place_count from ({query}) order by {order} limit {PLACES_SHOWN}"
    )
    if rows:
        aside = ("task_type", "model_id", "place_count", *hidden)
        places = [
            Place(
                text(row),
                row.get("task_type"),
                row.get("model_id"),
                {name: value for name, value in row.items() if name not in aside},
            )
            for row in rows
        ]
        yield Caveat(kind, title, consequence, next_step, places, rows[0]["place_count"], figures or {})


def cell(row: dict[str, Any]) -> str:
    """Return a model and a task type in words."""
    return f"{short_name(row['model_id'])} at {short_name(row['task_type'])}"


def short_name(name: str) -> str:
    """Return a name as caveats show it: names come from outside and may be long."""
    return named(name, NAME_WIDTH)


def has(connection: sqlite3.Connection, *tables: str) -> bool:
    """Return True if a database has all these tables or views."""
    return all(
        connection.execute("select 1 from sqlite_master where name = ?", (table,)).fetchone() is not None
        for table in tables
    )
