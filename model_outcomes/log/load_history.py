"""The log's bookkeeping of loads: a row of `load_history` for each, and of `rejected_outcomes` for what it rejects."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from model_outcomes.base import clock

RAW_LIMIT_BYTES = 4096  # of a rejected line


class RejectedLine(NamedTuple):
    """A rejected line: its number (0 if it has none), its faults as `messages.as_json` writes them, its text."""

    line_number: int
    reasons: str
    raw_text: str


def begin(connection: sqlite3.Connection, source: str, format: str, **columns: object) -> int:
    """Insert a load that begins now, and return its load_id. `columns` are further columns of the row."""
    defaults = dict.fromkeys(("start_offset", "end_offset", "end_line", "head_bytes"), 0)
    row: dict[str, object] = {
        "source": source,
        "format": format,
        **defaults,
        "head_sha256": "",
        "tail_sha256": "",
        "started_at": clock.now_text(),
        **columns,
    }
    load_id = connection.execute(
        f"insert into load_history ({', '.join(row)}) values ({', '.join('?' * len(row))})", tuple(row.values())
    ).lastrowid
    return int(load_id or 0)


def update(connection: sqlite3.Connection, load_id: int, **columns: object) -> None:
    """Set columns of a load."""
    connection.execute(
        f"update load_history set {', '.join(f'{name} = ?' for name in columns)} where load_id = ?",
        (*columns.values(), load_id),
    )


def end(connection: sqlite3.Connection, load_id: int, **columns: object) -> None:
    """Set columns of a load that is complete."""
    update(connection, load_id, **columns, finished_at=clock.now_text())


def reject(connection: sqlite3.Connection, load_id: int, source: str, lines: Iterable[RejectedLine]) -> int:
    """Insert rejected lines of a load, and return the rejected_id of the last one (0 without rejected lines)."""
    now, rejected_id = clock.now_text(), 0
    for line in lines:
        rejected_id = connection.execute(
            "insert into rejected_outcomes (load_id, source, line_number, reasons, raw_text, rejected_at)"
            " values (?, ?, ?, ?, ?, ?)",
            (load_id, source, *line, now),
        ).lastrowid or 0  # fmt: skip
    return rejected_id
