"""The interface of every engine's connection, and the way to open an SQLite file."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any, Protocol


class Cursor(Protocol):
    @property
    def description(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def fetchmany(self, size: int, /) -> list[Any]: ...


class Connection(Protocol):
    """A connection to SQLite or another engine. A ? marks each parameter."""

    def execute(self, query: str, parameters: Any = ..., /) -> Cursor: ...


def open_sqlite(
    path: Path,
    mode: str = "mode=ro",
    *,
    wait_s: float = 5.0,
    check_same_thread: bool = True,
    factory: type[sqlite3.Connection] = sqlite3.Connection,
) -> sqlite3.Connection:
    """Open an existing SQLite file, without implicit transactions. It is read-only unless `mode` is mode=rw.

    `mode` is the query of SQLite's URI (https://sqlite.org/uri.html). Raises SQLite's errors.
    """
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?{mode}", uri=True, timeout=wait_s, isolation_level=None,
        check_same_thread=check_same_thread, factory=factory,
    )  # fmt: skip


def is_in_wal_mode(path: Path) -> bool:
    """Return True if the header says WAL mode (https://sqlite.org/fileformat.html, offset 18), False also if the file
    cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(20)[18:] == b"\2\2"
    except OSError:
        return False
