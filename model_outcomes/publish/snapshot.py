"""The snapshot: one small SQLite file that has only the marts, as tables, all as of the same moment.

It is not in WAL mode. So there is no second file beside it, and it can be on any disk.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from model_outcomes.answers import caveats
from model_outcomes.answers.caveats import Caveat
from model_outcomes.base import clock, paths
from model_outcomes.base.connection import Connection, open_sqlite
from model_outcomes.base.errors import OutcomesError
from model_outcomes.log import store
from model_outcomes.warehouse import marts
from model_outcomes.warehouse.marts import Mart

TYPES = {"text": "text", "bigint": "integer", "integer": "integer", "double": "real"}
BATCH_ROWS = 10_000
# Columns that queries filter by. Each gets an index unless it is the first column of the key.
INDEXED = ("task_type", "model_id", "experiment_id", "outcome_date")

DESCRIBED = """
    create table snapshot_run (
        run_id text not null,
        as_of text not null,
        database text not null,
        last_outcome_id integer
    ) strict;
    create table snapshot_descriptions (
        table_name text not null,
        column_name text,
        data_type text,
        description text not null
    ) strict;
"""


@dataclass(frozen=True)
class Source:
    """An SQLite file with the marts, and their descriptions from dbt. `last_outcome` is the id of the last outcome in
    the marts, None if the file is the log itself. `caveats` are written beside the marts."""

    file: Path
    marts: Sequence[Mart]
    last_outcome: int | None = None
    caveats: Sequence[Caveat] = ()


def of_log(database: Path) -> Source:
    """Return the marts and the caveats of a log that was built on SQLite."""
    with closing(open_sqlite(database)) as connection:
        log_caveats = caveats.read(connection, None, clock.utc_now())
    return Source(database, marts.read(database), caveats=log_caveats)


def fetch(path: Path, connection: Connection, marts: Sequence[Mart]) -> None:
    """Copy the marts from another engine to a new SQLite file at `path`, from which `write` can then read them."""
    with closing(sqlite3.connect(path, isolation_level=None)) as fetched:
        fetched.execute("pragma journal_mode = off")  # a file that is half written is removed anyway
        fetched.execute("pragma synchronous = off")
        fetched.execute("begin")
        for mart in marts:
            cursor = connection.execute(f"select * from {mart.name}")
            names = [column[0] for column in cursor.description]
            _create(fetched, mart, names)
            insert = f"insert into {_quoted(mart.name)} values ({', '.join('?' * len(names))})"
            while rows := cursor.fetchmany(BATCH_ROWS):
                fetched.executemany(insert, rows)
        fetched.execute("commit")


def write(path: Path, source: Source, run_id: str, as_of: str, database: str) -> None:
    """Write the snapshot to the new file `path`. Its table `snapshot_run` names the log as `database`.

    `as_of` is the time when the build began. Every outcome committed before it is in every mart; marts that are views
    may also have a few later ones.
    """
    with closing(sqlite3.connect(path, timeout=store.busy_timeout(), isolation_level=None)) as connection:
        connection.execute("pragma synchronous = off")  # synced as a whole, before it is moved into place
        connection.execute("attach ? as warehouse", (str(source.file),))
        # The version keeps a command that opens the file as a log by mistake from creating tables in it.
        connection.execute(f"pragma user_version = {store.SCHEMA_VERSION}")
        connection.execute("begin")
        for statement in DESCRIBED.split(";")[:-1]:
            connection.execute(statement)
        connection.execute(
            "insert into snapshot_run values (?, ?, ?, ?)", (run_id, as_of, database, _last_outcome(connection, source))
        )
        for mart in source.marts:
            _copy(connection, mart)
        _write_caveats(connection, source.caveats)
        connection.execute("commit")
        connection.execute("detach warehouse")


def refuse_another(path: Path, database: Path) -> None:
    """Raise OutcomesError if `path` is the snapshot of another database that still exists."""
    run = published_run(path)
    if run and run["database"] != name_of(database, path.parent):
        other = paths.absolute(path.parent / run["database"])
        if other.exists() and not (database.exists() and other.samefile(database)):
            raise OutcomesError(f"{path} is the snapshot of {other}: name another folder with --publish")


def name_of(database: Path, folder: Path) -> str:
    """Return the path of the database relative to the publication, so that both can be moved together."""
    return os.path.relpath(database, folder)


def published_run(path: Path) -> dict[str, str] | None:
    """Return the row of `snapshot_run` in a snapshot (run_id, as_of, database); None if it is not a snapshot."""
    if not path.is_file():
        return None
    try:
        with closing(open_sqlite(path)) as connection:
            row = connection.execute("select run_id, as_of, database from snapshot_run").fetchone()
    except sqlite3.Error:
        return None
    return dict(zip(("run_id", "as_of", "database"), row, strict=True)) if row else None


def _last_outcome(connection: sqlite3.Connection, source: Source) -> int | None:
    if source.last_outcome is not None:
        return source.last_outcome
    last: int | None = connection.execute("select max(id) from warehouse.model_outcomes").fetchone()[0]
    return last


def _create(connection: sqlite3.Connection, mart: Mart, names: Sequence[str]) -> None:
    types = [mart.column(name).typed(TYPES, "any") for name in names]
    columns = ", ".join(f"{_quoted(name)} {type}" for name, type in zip(names, types, strict=True))
    connection.execute(f"create table main.{_quoted(mart.name)} ({columns}) strict")


def _copy(connection: sqlite3.Connection, mart: Mart) -> None:
    names = [row[0] for row in connection.execute(f"select * from warehouse.{_quoted(mart.name)} limit 0").description]
    table = _quoted(mart.name)
    _create(connection, mart, names)
    connection.execute(f"insert into main.{table} select * from warehouse.{table}")
    keys = [mart.key] if mart.key else []
    for number, key in enumerate([*keys, *((name,) for name in INDEXED if name in names and name not in mart.key[:1])]):
        unique = "unique" if number == 0 and mart.key else ""
        index = _quoted(f"{mart.name}_{'_'.join(key)}")
        connection.execute(f"create {unique} index main.{index} on {table} ({', '.join(map(_quoted, key))})")
    connection.executemany(
        "insert into snapshot_descriptions (table_name, column_name, data_type, description) values (?, ?, ?, ?)",
        [
            (mart.name, None, None, mart.description),
            *((mart.name, column.name, column.data_type, column.description) for column in mart.columns),
        ],
    )


def _write_caveats(connection: sqlite3.Connection, rows: Sequence[Caveat]) -> None:
    """Write the table `caveats`: some caveats come from rejected lines and seeds, which a snapshot does not have."""
    columns = ", ".join(f"{name} {type}" for name, (type, _) in caveats.COLUMNS.items())
    connection.execute(f"create table main.{caveats.TABLE} ({columns}) strict")
    places = ", ".join("?" * len(caveats.COLUMNS))
    connection.executemany(f"insert into main.{caveats.TABLE} values ({places})", caveats.as_rows(rows))
    connection.executemany(
        "insert into snapshot_descriptions (table_name, column_name, data_type, description) values (?, ?, ?, ?)",
        [
            (caveats.TABLE, None, None, caveats.DESCRIPTION),
            *((caveats.TABLE, name, type, description) for name, (type, description) in caveats.COLUMNS.items()),
        ],
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
