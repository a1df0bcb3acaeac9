"""What goes along when the log is carried to another engine: the dbt source's tables, all their columns.

Times leave in UTC to the millisecond, further digits cut off as the dbt models cut them: engines differ in how
they read a text without an offset.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

LOG = "model_outcomes"
# The others are small, or may change in place: they go whole. Their columns with times.
OTHERS = {
    "legacy_model_stats": ("last_used",),
    "llm_task_outcomes": (),
    "federated_names": (),
    "federated_exports": (),
    "federated_export_rows": (),
    "federated_imports": (),
    "federated_import_rows": (),
}
CHUNK = 50_000

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Column:
    """`type` is SQLite's: INTEGER (64 bits), REAL or TEXT."""

    name: str
    type: str
    is_required: bool


@dataclass(frozen=True)
class Table:
    name: str
    columns: tuple[Column, ...]
    select: str

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]


@dataclass(frozen=True)
class Stretch:
    """Outcomes of the log by their ids: those above `after`, up to `last`, `rows` of them."""

    after: int
    last: int
    rows: int


@dataclass(frozen=True)
class Export:
    """The result of an export: `rows` outcomes, up to the id `last`; rows of the other tables by name."""

    rows: int
    last: int
    others: dict[str, int]


@contextmanager
def reading(connection: sqlite3.Connection) -> Iterator[None]:
    """Hold one moment of the log for all reads within the block; texts that are not UTF-8 are read, too."""
    factory = connection.text_factory
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    connection.execute("begin")
    try:
        yield
    finally:
        connection.execute("rollback")
        connection.text_factory = factory


def table(connection: sqlite3.Connection, name: str) -> Table:
    moments = ("timestamp",) if name == LOG else OTHERS[name]
    columns = tuple(
        Column(column, type, bool(required or key))
        for column, type, required, key in connection.execute(
            'select name, type, "notnull", pk from pragma_table_info(?)', (name,)
        )
    )
    read = [
        f"strftime('%Y-%m-%dT%H:%M:%fZ', {_to_millisecond(column.name)}, '+0 seconds')"
        if column.name in moments
        else column.name
        for column in columns
    ]
    return Table(name, columns, f"select {', '.join(read)} from {name}")


def _to_millisecond(time: str) -> str:
    """Return SQL for a text of a time without the digits after its milliseconds, as macros/engines/to_millisecond."""
    return (
        f"iif(length({time}) > 23 and substr({time}, 20, 1) = '.',"
        f" substr({time}, 1, 23) || ltrim(substr({time}, 24), '0123456789'), {time})"
    )


def stretches(connection: sqlite3.Connection, after: int, size: int, end: int | None = None) -> Iterator[Stretch]:
    """Return what the log has above the id `after` and up to `end` (default: now), by `size` outcomes."""
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
    return _chunks(
        connection.execute(f"{log.select} where id > ? and id <= ? order by id", (stretch.after, stretch.last))
    )


def rows(connection: sqlite3.Connection, other: Table) -> Iterator[Sequence[Row]]:
    return _chunks(connection.execute(other.select))


def fingerprint(connection: sqlite3.Connection, outcome_id: int) -> str | None:
    """Return what identifies an outcome, since a log never changes one; None if there is no such outcome."""
    with reading(connection):
        found = connection.execute(
            f"select task_type, model_id, success, timestamp from {LOG} where id = ?", (outcome_id,)
        ).fetchone()
    return hashlib.sha256(repr(found).encode()).hexdigest() if found else None


def _chunks(cursor: sqlite3.Cursor) -> Iterator[Sequence[Row]]:
    while chunk := cursor.fetchmany(CHUNK):
        yield chunk
