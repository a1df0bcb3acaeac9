"""Questions to what dbt built on another engine, by a connection that `reading` asks as it asks SQLite's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from loader import places
from loader.engines import targets
from loader.errors import BusyError, NotBuiltError, OutcomesError

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Server

    from loader.reading import Connection, Cursor


def opened(database: Path, target: str) -> AbstractContextManager[Connection]:
    """What was built on `target` from the log of `database`, to read. Raises NotBuiltError where nothing was."""
    known = targets.environment(database, target)
    return _postgres(known) if target == "postgres" else _duckdb(places.duckdb(database))


@contextmanager
def _duckdb(path: Path) -> Iterator[Connection]:
    import duckdb

    if not path.is_file():
        raise NotBuiltError(f"there is no {path.absolute()} yet: run `loader build --target duckdb`")
    try:
        with closing(duckdb.connect(str(path), read_only=True)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            yield connection
    except duckdb.Error as fault:
        said = _in_a_line(fault)
        if isinstance(fault, duckdb.CatalogException):
            raise NotBuiltError(f"{said}: run `loader build --target duckdb`") from fault
        if "lock" in said:
            raise BusyError(f"{path.absolute()} is in use by another process: try again later") from fault
        raise OutcomesError(f"{path.absolute()}: {said}") from fault


@contextmanager
def _postgres(variables: Mapping[str, str]) -> Iterator[Connection]:
    import psycopg2

    names = {"PGHOST": "host", "PGPORT": "port", "PGUSER": "user", "PGPASSWORD": "password", "PGDATABASE": "dbname"}
    try:
        with closing(psycopg2.connect(**{names[name]: value for name, value in variables.items()})) as server:
            yield _Postgres(server)
    except psycopg2.Error as fault:
        said = _in_a_line(fault)
        if isinstance(fault, psycopg2.errors.UndefinedTable):
            raise NotBuiltError(f"{said}: run `loader build --target postgres`") from fault
        raise OutcomesError(f"PostgreSQL: {said}") from fault


class _Postgres:
    """psycopg's placeholders are %s."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def execute(self, query: str, parameters: Sequence[Any] = ()) -> Cursor:
        cursor = self.server.cursor()
        cursor.execute(query.replace("%", "%%").replace("?", "%s"), tuple(parameters))
        answer: Cursor = cursor
        return answer


def _in_a_line(fault: Exception) -> str:
    lines = str(fault).strip().splitlines()
    return lines[0] if lines else type(fault).__name__
