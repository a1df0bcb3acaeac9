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
from loader.pipeline.marts import Mart

TYPES = {"text": "text", "bigint": "integer", "integer": "integer", "double": "real"}
# Columns that are asked for, where they do not lead the key anyway.
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


def write(path: Path, database: Path, marts: Sequence[Mart], run_id: str, as_of: str, named: str) -> None:
    """Make the snapshot at `path`, where nothing is yet, from the marts of a database, which it calls `named`.

    What `snapshot_run` calls `as_of` is when the build began: every outcome committed before is in
    every mart. Views among the marts may know a few that came later.
    """
    with closing(sqlite3.connect(path, timeout=store.busy_timeout(), isolation_level=None)) as connection:
        connection.execute("pragma synchronous = off")  # synced as a whole, before it is moved into place
        connection.execute("attach ? as warehouse", (str(database),))
        # Whoever opens it as a log by mistake shall not make the log's tables in it.
        connection.execute(f"pragma user_version = {store.SCHEMA_VERSION}")
        connection.execute("begin")
        for statement in DESCRIBED.split(";")[:-1]:
            connection.execute(statement)
        connection.execute(
            "insert into snapshot_run select ?, ?, ?, (select max(id) from warehouse.model_outcomes)",
            (run_id, as_of, named),
        )
        for mart in marts:
            _copy(connection, mart)
        connection.execute("commit")
        connection.execute("detach warehouse")


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
    names = [row[0] for row in connection.execute(f"select * from warehouse.{_quoted(mart.name)} limit 0").description]
    types = [mart.column(name).typed(TYPES, "any") for name in names]
    columns = ", ".join(f"{_quoted(name)} {type}" for name, type in zip(names, types, strict=True))
    table = _quoted(mart.name)
    connection.execute(f"create table main.{table} ({columns}) strict")
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


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
