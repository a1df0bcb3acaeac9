"""Opens what dbt built on DuckDB, PostgreSQL or Spark, as connections that take the same queries as SQLite's."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_outcomes.base import locks, paths
from model_outcomes.base.errors import BusyError, NotBuiltError, OutcomesError
from model_outcomes.warehouse import builds
from model_outcomes.warehouse.engines import targets

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Server
    from pyspark.sql import DataFrame, SparkSession

    from model_outcomes.base.connection import Connection, Cursor


def opened(database: Path, target: str, *, is_held: bool = False) -> AbstractContextManager[Connection]:
    """Return a connection to read what was built on `target` from the log of `database`.

    Raises NotBuiltError if nothing was built, BusyError if the engine is in use.

    On Spark this takes the lock of builds, unless the caller holds it already (`is_held`).
    """
    variables = targets.environment(database, target)
    if target == "postgres":
        return _postgres(variables)
    if target == "spark":
        lock = paths.build_folder(database, "spark") / "lock"
        return _spark(variables, nullcontext() if is_held else locks.exclusive(lock, "a question"))
    return _duckdb(paths.duckdb(database))


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
        message = _first_line(fault)
        if isinstance(fault, duckdb.CatalogException):
            raise NotBuiltError(f"{message}: run `loader build --target duckdb`") from fault
        if "lock" in message:
            raise BusyError(f"{path.absolute()} is in use by another process: try again later") from fault
        raise OutcomesError(f"{path.absolute()}: {message}") from fault


@contextmanager
def _postgres(variables: Mapping[str, str]) -> Iterator[Connection]:
    import psycopg2

    try:
        pieces = {targets.POSTGRES_VARIABLES[name]: value for name, value in variables.items()}
        with closing(psycopg2.connect(**pieces)) as server:
            # All queries see one moment, as they do on SQLite within a transaction.
            server.set_session(isolation_level="REPEATABLE READ", readonly=True)
            yield _Postgres(server)
    except psycopg2.Error as fault:
        message = _first_line(fault)
        if isinstance(fault, psycopg2.errors.UndefinedTable):
            raise NotBuiltError(f"{message}: run `loader build --target postgres`") from fault
        raise OutcomesError(f"PostgreSQL: {message}") from fault


@contextmanager
def _spark(variables: Mapping[str, str], lock: AbstractContextManager[None]) -> Iterator[Connection]:
    """Yield a session with the settings of dbt's profile. Only one process at a time can open the metastore, a build or
    this one."""
    from pyspark.errors import AnalysisException, PySparkException
    from pyspark.sql import SparkSession

    folder = variables["OUTCOMES_SPARK"]
    if not Path(folder).is_dir():
        raise NotBuiltError(f"there is no {folder} yet: run `loader build --target spark`")
    builder = SparkSession.builder.enableHiveSupport()
    for name, value in spark_settings(variables).items():
        builder = builder.config(name, value)
    try:
        with lock:
            interrupt = signal.getsignal(signal.SIGINT)
            session = builder.getOrCreate()
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, interrupt)  # pyspark has replaced it
            try:
                session.sql("use outcomes")
                yield _Spark(session)
            finally:
                session.stop()
    except AnalysisException as fault:
        raise NotBuiltError(f"{_first_line(fault)}: run `loader build --target spark`") from fault
    except PySparkException as fault:
        raise OutcomesError(f"Spark: {_first_line(fault)}") from fault


def spark_settings(variables: Mapping[str, str]) -> Mapping[str, str]:
    """Return the settings of a session in dbt's profile, with its variables filled in."""
    import jinja2
    import yaml

    def env_var(name: str, default: str = "") -> str:
        return variables.get(name, os.environ.get(name, default))

    profiles = yaml.safe_load((builds.project_folder() / "profiles.yml").read_text())
    settings = profiles["model_outcomes"]["outputs"]["spark"]["server_side_parameters"]
    environment = jinja2.Environment(autoescape=False)
    return {name: environment.from_string(str(value)).render(env_var=env_var) for name, value in settings.items()}


class _Spark:
    """A Spark session as a connection: a data frame has other names for columns and rows."""

    def __init__(self, session: SparkSession) -> None:
        self.session = session

    def execute(self, query: str, parameters: Sequence[Any] = ()) -> Cursor:
        return _Frame(self.session.sql(query, args=list(parameters) or None))


class _Frame:
    def __init__(self, frame: DataFrame) -> None:
        self.frame = frame

    @property
    def description(self) -> list[tuple[str]]:
        return [(name,) for name in self.frame.columns]

    def fetchall(self) -> list[Any]:
        return [tuple(row) for row in self.frame.collect()]

    def fetchmany(self, size: int, /) -> list[Any]:
        return [tuple(row) for row in islice(self._rows, size)]

    @cached_property
    def _rows(self) -> Iterator[Any]:
        """Return the rows one partition after another, so that a mart is not in memory twice."""
        rows: Iterator[Any] = self.frame.toLocalIterator()
        return rows


class _Postgres:
    """A psycopg connection; the placeholders of psycopg are %s."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def execute(self, query: str, parameters: Sequence[Any] = ()) -> Cursor:
        cursor = self.server.cursor()
        cursor.execute(query.replace("%", "%%").replace("?", "%s"), tuple(parameters))
        answer: Cursor = cursor
        return answer


def _first_line(fault: Exception) -> str:
    lines = str(fault).strip().splitlines()
    return lines[0] if lines else type(fault).__name__
