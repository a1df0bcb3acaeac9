"""The snapshot: the marts, and only they, as real tables of one small SQLite file, at one moment.

It is not in WAL mode: a file that is only read needs nothing beside it, and may lie on any disk.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from loader import store
from loader.errors import OutcomesError
from loader.pipeline.marts import TYPES, Mart

# Columns that are asked for, where they do not lead the key anyway.
INDEXED = ("task_type", "model_id", "experiment_id", "outcome_date")

DESCRIBED = """
    create table snapshot.snapshot_run (
        run_id text not null,
        as_of text not null,
        database text not null,
        last_outcome_id integer
    ) strict;
    create table snapshot.snapshot_descriptions (
        table_name text not null,
        column_name text,
        data_type text,
        description text not null
    ) strict;
"""


def write(
    path: Path, connection: sqlite3.Connection, marts: Sequence[Mart], run_id: str, as_of: str, named: str
) -> None:
    """Make the snapshot at `path`, where nothing is yet, from the marts that the connection to a log sees. It calls
    the log's database `named`.

    What `snapshot_run` calls `as_of` is when the build began: every outcome committed before is in
    every mart. Views among the marts may know a few that came later.
    """
    connection.execute("attach ? as snapshot", (str(path),))
    try:
        connection.execute("pragma snapshot.synchronous = off")  # synced as a whole, before it is moved into place
        # Whoever opens it as a log by mistake shall not make the log's tables in it.
        connection.execute(f"pragma snapshot.user_version = {store.SCHEMA_VERSION}")
        connection.execute("begin")
        try:
            for statement in DESCRIBED.split(";")[:-1]:
                connection.execute(statement)
            connection.execute(
                "insert into snapshot.snapshot_run select ?, ?, ?, (select max(id) from main.model_outcomes)",
                (run_id, as_of, named),
            )
            for mart in marts:
                _copy(connection, mart)
            connection.execute("commit")
        finally:
            if connection.in_transaction:
                connection.execute("rollback")
    finally:
        connection.execute("detach snapshot")


def refuse_another(path: Path, database: Path) -> None:
    """Raises OutcomesError where `path` is the snapshot of another database, which is still there."""
    found = published_run(path)
    if found and found["database"] != name_of(database, path.parent):
        other = store.absolute(path.parent / found["database"])
        if other.exists():
            raise OutcomesError(f"{path} is the snapshot of {other}: name another folder with --publish")


def name_of(database: Path, folder: Path) -> str:
    """Seen from where it is published, so that both may move or be copied together."""
    return os.path.relpath(database, folder)


def published_run(path: Path) -> dict[str, str] | None:
    """What `snapshot_run` of the snapshot says (run_id, as_of, database), None where there is none."""
    if not path.is_file():
        return None
    try:
        with closing(sqlite3.connect(f"file:{_escaped(path)}?mode=ro", uri=True)) as connection:
            row = connection.execute("select run_id, as_of, database from snapshot_run").fetchone()
    except sqlite3.Error:
        return None
    return dict(zip(("run_id", "as_of", "database"), row, strict=True)) if row else None


def _escaped(path: Path) -> str:
    return path.absolute().as_uri().removeprefix("file://")


def _copy(connection: sqlite3.Connection, mart: Mart) -> None:
    names = [row[0] for row in connection.execute(f"select * from {store.quoted(mart.name)} limit 0").description]
    types = [mart.column(name).typed(TYPES, "any") for name in names]
    columns = ", ".join(f"{store.quoted(name)} {type}" for name, type in zip(names, types, strict=True))
    table = store.quoted(mart.name)
    connection.execute(f"create table snapshot.{table} ({columns}) strict")
    connection.execute(f"insert into snapshot.{table} select * from {table}")
    keys = [mart.key] if mart.key else []
    for number, key in enumerate([*keys, *((name,) for name in INDEXED if name in names and name not in mart.key[:1])]):
        unique = "unique" if number == 0 and mart.key else ""
        index = store.quoted(f"{mart.name}_{'_'.join(key)}")
        connection.execute(f"create {unique} index snapshot.{index} on {table} ({', '.join(map(store.quoted, key))})")
    connection.executemany(
        "insert into snapshot.snapshot_descriptions (table_name, column_name, data_type, description)"
        " values (?, ?, ?, ?)",
        [
            (mart.name, None, None, mart.description),
            *((mart.name, column.name, column.data_type, column.description) for column in mart.columns),
        ],
    )
