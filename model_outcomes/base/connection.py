"""The part of a database connection that every engine shares."""

from __future__ import annotations

from typing import Any, Protocol


class Cursor(Protocol):
    @property
    def description(self) -> Any: ...

    def fetchall(self) -> list[Any]: ...

    def fetchmany(self, size: int, /) -> list[Any]: ...


class Connection(Protocol):
    """SQLite's, or another engine's; values go where a ? stands."""

    def execute(self, query: str, parameters: Any = ..., /) -> Cursor: ...
