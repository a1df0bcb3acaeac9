"""The memory of this project's exports: its pseudonym, its exported rows, and the current exports."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Container, Iterable, Mapping
from datetime import datetime, timedelta, timezone

import msgspec

from model_outcomes.answers import queries
from model_outcomes.federation import windows
from model_outcomes.federation.format import CARRIES, CARRY_UNIT, FIGURES, Export, Row

INSERT_ROW = (
    f"insert into federated_export_rows (export_id, task_type, model_id, {', '.join(FIGURES)})"
    f" values (?, ?, ?{', ?' * len(FIGURES)})"
)
GREATEST_SUM = 10**18


class Standing(msgspec.Struct, frozen=True):
    """An export that no other has replaced, and how small its smallest row was to be."""

    export_id: int
    window: str
    last_day: str | None
    min_outcomes: int


def project(connection: sqlite3.Connection) -> str:
    """Return this project's pseudonym; drawn at random the first time it is asked for."""
    connection.execute(
        "insert into federated_identity (only_row, project) values (1, ?) on conflict do nothing",
        (secrets.token_hex(16),),
    )
    (found,) = connection.execute("select project from federated_identity").fetchone()
    return str(found)


def standing(connection: sqlite3.Connection) -> list[Standing]:
    """Return the current exports, the opening balances first, then by window."""
    return [
        Standing(*row)
        for row in connection.execute(
            "select export_id, export_window, last_day,"
            " json_extract(substr(content, 1, instr(content, char(10))), '$.privacy.min_outcomes')"
            " from federated_exports where replaced_by is null order by last_day"
        )
    ]


def texts(connection: sqlite3.Connection, but: Container[str]) -> str:
    """Return the current exports as they were written, except those of some windows."""
    found = connection.execute(
        "select export_window, content from federated_exports where replaced_by is null order by last_day"
    )
    return "".join(content for window, content in found if window not in but)


def is_noisy(connection: sqlite3.Connection) -> bool | None:
    """Return whether this project exports with noise; None before its first export."""
    found = connection.execute("select max(epsilon is not null) from federated_exports").fetchone()[0]
    return None if found is None else bool(found)


def next_moment(connection: sqlite3.Connection, now: datetime) -> datetime:
    """Return `now`, or just after the last export if the clock went back: the later export needs a later time."""
    (last,) = connection.execute("select max(as_of) from federated_exports").fetchone()
    if last is None:
        return now
    known = datetime.fromisoformat(last.removesuffix("Z")).replace(tzinfo=timezone.utc)
    return max(now, known + timedelta(microseconds=1))


def keep(connection: sqlite3.Connection, export: Export, replaces: int | None) -> int:
    """Note an export, and its rows where they are exact; the number it got."""
    header = export.header
    span = windows.span(header.window)
    export_id = connection.execute(
        "insert into federated_exports (export_window, last_day, as_of, licence, epsilon, row_count, rows_sha256,"
        " content) values (?, ?, ?, ?, ?, ?, ?, ?)",
        (header.window, span and str(span[1]), header.as_of, header.licence, header.privacy.epsilon, header.rows,
         header.sha256, export.text),
    ).lastrowid  # fmt: skip
    assert export_id is not None
    if replaces is not None:
        connection.execute("update federated_exports set replaced_by = ? where export_id = ?", (export_id, replaces))
    if header.privacy.epsilon is None:
        connection.executemany(INSERT_ROW, (_values(export_id, row) for row in export.rows))
    return export_id


def _values(export_id: int, row: Row) -> tuple[object, ...]:
    return (export_id, row.task_type, row.model_id, *(getattr(row, name) for name in FIGURES))


def as_rows(found: Iterable[Mapping[str, object]]) -> list[Row]:
    """Return rows of a table or view as rows of an export. A sum needs its carry only above 10^18."""
    rows = []
    for values in found:
        row = Row(**{name: values[name] for name in ("task_type", "model_id", *FIGURES)})  # type: ignore[arg-type]
        for name, carry in CARRIES.items():
            total = row.total(name)
            if total is not None and total <= GREATEST_SUM:
                setattr(row, name, total)
                setattr(row, carry, None)
            elif total is not None:
                setattr(row, name, total % CARRY_UNIT)
                setattr(row, carry, total // CARRY_UNIT)
            else:
                setattr(row, carry, None)
        rows.append(row)
    return rows


def exported_rows(connection: sqlite3.Connection, export_id: int) -> list[Row]:
    return as_rows(queries.rows(connection, "select * from federated_export_rows where export_id = ?", (export_id,)))
