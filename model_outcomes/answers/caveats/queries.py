"""How a check makes a caveat of a query to the marts or to the log: each row is a place."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from model_outcomes.answers import queries
from model_outcomes.answers.caveats.caveat import SHOWN, Caveat, Kind, Place
from model_outcomes.answers.phrases import named
from model_outcomes.answers.queries import Answer

NAME_WIDTH = 60
REASON_WIDTH = 100

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
    """Yield a caveat if `query` has rows: each is a place, its columns but the `hidden` ones are the figures."""
    rows: Answer = queries.rows(
        connection, f"select *, count(*) over () as place_count from ({query}) order by {order} limit {SHOWN}"
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
    """Return a name as a caveat shows it; names come from outside, and may be long."""
    return named(name, NAME_WIDTH)


def has(connection: sqlite3.Connection, *tables: str) -> bool:
    """Return whether a database has all these tables or views."""
    return all(
        connection.execute("select 1 from sqlite_master where name = ?", (table,)).fetchone() is not None
        for table in tables
    )
