"""Limits of the memory that a query of the explorer may take: for a value, for an answer, and for all of SQLite."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable
from itertools import islice
from typing import Any

VALUE_BYTES = 1_000_000  # far more than a name or a description has
PATTERN_BYTES = 100  # the time that LIKE takes, which nothing interrupts, grows with its pattern
ANSWER_BYTES = 32_000_000
HEAP_BYTES = 256_000_000


class Connection(sqlite3.Connection):
    """A connection that refuses values and answers above the limits."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        if sys.version_info >= (3, 11):  # before it, `bound_heap` alone has to do
            self.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, VALUE_BYTES)
            self.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, PATTERN_BYTES)

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or Cursor)

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        """Run SQL with our cursor: from 3.11 on, Python's own `execute` takes the plain one."""
        return self.cursor().execute(sql, parameters)


class Cursor(sqlite3.Cursor):
    """A cursor whose faults about size are those that Datasette tells a reader."""

    def execute(self, sql: str, parameters: Any = ()) -> Cursor:
        try:
            return super().execute(sql, parameters)
        except (MemoryError, sqlite3.DataError) as fault:
            raise _too_large(fault) from None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        return self._fetched(islice(self, self.arraysize if size is None else size))

    def fetchall(self) -> list[Any]:
        return self._fetched(self)

    def _fetched(self, rows: Iterable[Any]) -> list[Any]:
        fetched, size = [], 0
        try:
            for row in rows:
                size += sum(len(value) if isinstance(value, (str, bytes)) else 8 for value in row)
                if size > ANSWER_BYTES:
                    raise sqlite3.OperationalError(f"the answer has more than {ANSWER_BYTES:,} bytes: ask for less")
                fetched.append(row)
        except (MemoryError, sqlite3.DataError) as fault:
            raise _too_large(fault) from None
        return fetched


def bound_heap() -> None:
    """Bound the memory that SQLite takes in this process, as long as it runs."""
    connection = sqlite3.connect(":memory:")
    connection.execute(f"pragma hard_heap_limit = {HEAP_BYTES}")
    connection.close()


def _too_large(fault: Exception) -> sqlite3.OperationalError:
    return sqlite3.OperationalError(str(fault) or "the query needs more memory than it may take")
