"""Memory limits of a query of the explorer: for a value, for an answer, and for all of SQLite."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable
from itertools import islice
from typing import Any

MAX_VALUE_BYTES = 1_000_000  # much more than any name or description
MAX_PATTERN_BYTES = 100  # LIKE cannot be interrupted, and its time grows with the pattern
MAX_ANSWER_BYTES = 32_000_000
MAX_HEAP_BYTES = 256_000_000


class Connection(sqlite3.Connection):
    """A connection that refuses values and answers above the limits."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        if sys.version_info >= (3, 11):  # older versions have only `limit_heap`
            self.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES)
            self.setlimit(sqlite3.SQLITE_LIMIT_LIKE_PATTERN_LENGTH, MAX_PATTERN_BYTES)

    def cursor(self, factory: Any = None) -> Any:
        return super().cursor(factory or Cursor)

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        """Run SQL with our cursor: since 3.11 the `execute` of sqlite3 uses a plain cursor."""
        return self.cursor().execute(sql, parameters)


class Cursor(sqlite3.Cursor):
    """A cursor that raises faults of size as the kind of error that Datasette shows to a reader."""

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
                if size > MAX_ANSWER_BYTES:
                    raise sqlite3.OperationalError(f"the answer has more than {MAX_ANSWER_BYTES:,} bytes: ask for less")
                fetched.append(row)
        except (MemoryError, sqlite3.DataError) as fault:
            raise _too_large(fault) from None
        return fetched


def limit_heap() -> None:
    """Limit the memory of SQLite in this process to MAX_HEAP_BYTES."""
    connection = sqlite3.connect(":memory:")
    connection.execute(f"pragma hard_heap_limit = {MAX_HEAP_BYTES}")
    connection.close()


def _too_large(fault: Exception) -> sqlite3.OperationalError:
    return sqlite3.OperationalError(str(fault) or "the query needs more memory than it may take")
