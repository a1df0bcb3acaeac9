"""The published snapshot as a database of Datasette, read-only, and always the current file.

A publication replaces the file, and an open connection would keep reading the old one. So each thread checks before a
query that its connection is to the file that is at the path now.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from datasette.database import Database

from model_outcomes.log import store
from model_outcomes.publish.explorer import limits

Identity = tuple[int, int, int]
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Descriptions:
    """The descriptions in a snapshot: its run, its tables and their columns. `most_used` is the task type with the most
    trials."""

    run_id: str = ""
    as_of: str = ""
    most_used: str | None = None
    tables: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)


def identity(path: Path) -> Identity | None:
    """Return values that differ for a file and the one that replaces it; None if there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns


class Published(Database):  # type: ignore[misc]  # datasette has no types
    """A Datasette database over the published snapshot at `path`."""

    def __init__(self, datasette: Any, path: Path) -> None:
        super().__init__(datasette, path=str(path), is_mutable=True)
        self._thread = threading.local()
        self._described: tuple[Identity | None, Descriptions] = (None, Descriptions())

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """Return a connection that is always read-only."""
        connection = store.open_snapshot(Path(self.path), check_same_thread=False, factory=limits.Connection)
        self._all_file_connections.append(connection)
        return connection

    async def execute_fn(self, fn: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Call `fn` with a connection to the current snapshot."""
        return await asyncio.get_running_loop().run_in_executor(self.ds.executor, lambda: fn(self._current()))

    def descriptions(self) -> Descriptions:
        """Return the descriptions in the current snapshot; empty ones if it has none."""
        now = identity(Path(self.path))
        if now is not None and now != self._described[0]:
            try:
                self._described = (now, _read_descriptions(Path(self.path)))
            except sqlite3.Error:
                self._described = (now, Descriptions())
        return self._described[1]

    def _current(self) -> sqlite3.Connection:
        """Return this thread's connection to the current file, or to the last one if there is no file now."""
        # The identity is read before the file is opened, so that a replacement in between is noticed next time.
        now = identity(Path(self.path))
        connection: sqlite3.Connection | None = getattr(self._thread, "connection", None)
        if connection is None or (now is not None and now != self._thread.identity):
            if connection is not None:
                self._all_file_connections.remove(connection)
                connection.close()
            connection = self.connect()
            self.ds._prepare_connection(connection, self.name)
            self._thread.connection, self._thread.identity = connection, now
        return connection


def _read_descriptions(path: Path) -> Descriptions:
    with closing(store.open_snapshot(path)) as connection:
        run_id, as_of = connection.execute("select run_id, as_of from snapshot_run").fetchone()
        busiest = "select task_type from model_rankings group by task_type order by sum(trials) desc, task_type limit 1"
        (most_used,) = connection.execute(busiest).fetchone() or (None,)
        descriptions = Descriptions(run_id, as_of, most_used)
        rows = connection.execute("select table_name, column_name, description from snapshot_descriptions")
        for table, column, description in rows:
            if column is None:
                descriptions.tables[table] = description.strip()
            else:
                descriptions.columns.setdefault(table, {})[column] = description.strip()
    return descriptions
