"""The snapshot as Datasette reads it: the file that is at its path now, read-only.

A publish puts another file in the place of the old one. An open connection would go on reading the old one,
so each thread looks, before it asks, whether its connection is to the file that is there.
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

from model_outcomes.answers import build_settings
from model_outcomes.answers.build_settings import BuildSettings
from model_outcomes.log import store
from model_outcomes.publish.explorer import limits

Identity = tuple[int, int, int]
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Descriptions:
    """The descriptions in a snapshot: its run, and the meaning of its tables and columns. `most_used`
    is the task type with the most trials, `level` that of the intervals."""

    run_id: str = ""
    as_of: str = ""
    most_used: str | None = None
    level: str = BuildSettings().level
    tables: dict[str, str] = field(default_factory=dict)
    columns: dict[str, dict[str, str]] = field(default_factory=dict)


def identity(path: Path) -> Identity | None:
    """Tells a file from the one that took its place; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns


class Published(Database):  # type: ignore[misc]  # datasette has no types
    """A Datasette database over the published snapshot at `path`."""

    def __init__(self, datasette: Any, path: Path) -> None:
        super().__init__(datasette, path=str(path), is_mutable=True)
        self._held = threading.local()
        self._described: tuple[Identity | None, Descriptions] = (None, Descriptions())

    def connect(self, write: bool = False) -> sqlite3.Connection:
        """Return a connection that is always read-only."""
        connection = store.open_snapshot(Path(self.path), check_same_thread=False, factory=limits.Connection)
        self._all_file_connections.append(connection)
        return connection

    async def execute_fn(self, fn: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Call `fn` with a connection to the snapshot that is in place."""
        return await asyncio.get_running_loop().run_in_executor(self.ds.executor, lambda: fn(self._current()))

    def descriptions(self) -> Descriptions:
        """Return what the current snapshot says of itself; nothing if it says nothing."""
        now = identity(Path(self.path))
        if now is not None and now != self._described[0]:
            try:
                self._described = (now, _read_descriptions(Path(self.path)))
            except sqlite3.Error:
                self._described = (now, Descriptions())
        return self._described[1]

    def _current(self) -> sqlite3.Connection:
        """Return this thread's connection. If there is no file now, the old one goes on answering."""
        # Looked at before it is opened: what takes its place in between is noticed the next time.
        now = identity(Path(self.path))
        connection: sqlite3.Connection | None = getattr(self._held, "connection", None)
        if connection is None or (now is not None and now != self._held.identity):
            if connection is not None:
                self._all_file_connections.remove(connection)
                connection.close()
            connection = self.connect()
            self.ds._prepare_connection(connection, self.name)
            self._held.connection, self._held.identity = connection, now
        return connection


def _read_descriptions(path: Path) -> Descriptions:
    with closing(store.open_snapshot(path)) as connection:
        run_id, as_of = connection.execute("select run_id, as_of from snapshot_run").fetchone()
        busiest = "select task_type from model_rankings group by task_type order by sum(trials) desc, task_type limit 1"
        (most_used,) = connection.execute(busiest).fetchone() or (None,)
        found = Descriptions(run_id, as_of, most_used, build_settings.read(connection).level)
        rows = connection.execute("select table_name, column_name, description from snapshot_descriptions")
        for table, column, description in rows:
            if column is None:
                found.tables[table] = description.strip()
            else:
                found.columns.setdefault(table, {})[column] = description.strip()
    return found
