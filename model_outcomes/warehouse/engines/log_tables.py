"""Defines and reads the tables that are exported to other engines: the tables of the dbt source, with all columns.

Times are exported in UTC to the millisecond, because engines differ in how they read a text without an offset. Further
digits are cut off, as the dbt models do.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from model_outcomes.log import store

LOG = "model_outcomes"
CORRECTIONS = "outcome_corrections"
# The other tables are small, or may change in place, so they are exported whole. Their values are columns with times.
OTHER_TABLES = {
    CORRECTIONS: ("corrected_at",),
    "legacy_model_stats": ("last_used",),
    "llm_task_outcomes": (),
    "federated_names": (),
    "federated_exports": (),
    "federated_export_rows": (),
    "federated_imports": (),
    "federated_import_rows": (),
}
CHUNK_ROWS = 50_000

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Column:
    """A column of a table. `type` is that of SQLite: INTEGER (64 bits), REAL or TEXT."""

    name: str
    type: str
    is_required: bool


@dataclass(frozen=True)
class Table:
    """A table of the log, and the query that reads its rows for an export."""

    name: str
    columns: tuple[Column, ...]
    select: str

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


@dataclass(frozen=True)
class Stretch:
    """The `rows` outcomes of the log with ids above `after` and up to `last`."""

    after: int
    last: int
    rows: int


@dataclass(frozen=True)
class Export:
    """The result of an export: `rows` new outcomes, up to the id `last`, and the number of rows of the other tables."""

    rows: int
    last: int
    others: dict[str, int]


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[None]:
    """Let all reads in the block see the log as of one moment, and read texts that are not UTF-8, too."""
    factory = connection.text_factory
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    try:
        with store.one_moment(connection):
            yield
    finally:
        connection.text_factory = factory


def table(connection: sqlite3.Connection, name: str) -> Table:
    """Return a table of the log, as it is exported."""
    moments = ("timestamp",) if name == LOG else OTHER_TABLES[name]
    columns = tuple(
        Column(column, type, bool(required or key))
        for column, type, required, key in connection.execute(
            'select name, type, "notnull", pk from pragma_table_info(?)', (name,)
        )
    )
    expressions = [
        f"strftime('%Y-%m-%dT%H:%M:%fZ', {_to_millisecond(column.name)}, '+0 seconds')"
        if column.name in moments
        else column.name
        for column in columns
    ]
    return Table(name, columns, f"select {', '.join(expressions)} from {name}")


def added(table: Table, existing: list[str]) -> tuple[Column, ...]:
    """Return the columns of a table after `existing`, if these are its first ones and the others may be null."""
    later = table.columns[len(existing) :]
    is_older = existing == table.names[: len(existing)] and not any(column.is_required for column in later)
    return later if is_older else ()


def _to_millisecond(time: str) -> str:
    """Return SQL that cuts off the digits after the milliseconds of a time, as the macro to_millisecond does."""
    return (
        f"iif(length({time}) > 23 and substr({time}, 20, 1) = '.',"
        f" substr({time}, 1, 23) || ltrim(substr({time}, 24), '0123456789'), {time})"
    )


def stretches(connection: sqlite3.Connection, after: int, size: int, end: int | None = None) -> Iterator[Stretch]:
    """Yield the outcomes with ids above `after` and up to `end` (default: the last one), `size` outcomes at a time."""
    if end is None:
        (end,) = connection.execute(f"select coalesce(max(id), 0) from {LOG}").fetchone()
    while after < end:
        last, count = connection.execute(
            f"select max(id), count(*) from (select id from {LOG} where id > ? and id <= ? order by id limit ?)",
            (after, end, size),
        ).fetchone()
        if not count:
            return
        yield Stretch(after, last, count)
        after = last


def outcomes(connection: sqlite3.Connection, log: Table, stretch: Stretch) -> Iterator[Sequence[Row]]:
    """Yield the rows of a stretch in chunks, in order of id."""
    return _chunks(
        connection.execute(f"{log.select} where id > ? and id <= ? order by id", (stretch.after, stretch.last))
    )


def rows(connection: sqlite3.Connection, other: Table, last: int) -> tuple[int, Iterator[Sequence[Row]]]:
    """Return the number of rows of a table, and the rows in chunks. `last` is the last exported outcome: corrections
    from the first one of a later outcome on wait for the next export, because a build would skip a correction without
    its outcome, and never read it again."""
    where = ""
    if other.name == CORRECTIONS:
        waiting = f"select coalesce(min(correction_id), 9e18) from {CORRECTIONS} where outcome_id > {last}"
        where = f" where correction_id < ({waiting})"
    (count,) = connection.execute(f"select count(*) from {other.name}{where}").fetchone()
    return count, _chunks(connection.execute(other.select + where))


def fingerprint(connection: sqlite3.Connection, outcome_id: int) -> str | None:
    """Return a hash that identifies an outcome (outcomes never change), None if there is no such outcome."""
    with reading(connection):
        outcome = connection.execute(
            f"select task_type, model_id, success, timestamp from {LOG} where id = ?", (outcome_id,)
        ).fetchone()
    return hashlib.sha256(repr(outcome).encode()).hexdigest() if outcome else None


def _chunks(cursor: sqlite3.Cursor) -> Iterator[Sequence[Row]]:
    while chunk := cursor.fetchmany(CHUNK_ROWS):
        yield chunk
