"""Upgrades from one schema version to the next. `UPGRADES[n]` upgrades a file of version n to n + 1.

Each runs in one transaction, so that a file always has one version. A file without a version gets the newest one,
which schema.sql describes, at once. Such a file is empty, or an earlier tool wrote it, with the original columns of
`model_outcomes` and a `model_stats` table.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator

from model_outcomes.base import messages
from model_outcomes.base.messages import Fault
from model_outcomes.log import load_history
from model_outcomes.log.load_history import RejectedLine

ORIGINAL_COLUMNS = ("task_type", "model_id", "success", "timeout", "tokens_used", "cost_usd", "timestamp")
ORIGINAL_SOURCE = "an unversioned model_outcomes table"
LARGEST_ID = 2**53  # SQLite gives ids up to 2**63, but other programs read them as doubles


def statements(script: str) -> Iterator[str]:
    """Yield the statements of an SQL script one by one, because executescript would commit the transaction."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def schema() -> Iterator[str]:
    """Yield the statements of schema.sql."""
    from importlib.resources import files

    return statements(files("model_outcomes.log").joinpath("schema.sql").read_text(encoding="utf-8"))


def tables() -> dict[str, str]:
    """Return the statements of schema.sql that create a table, by the table's name."""
    matches = ((re.search(r"^create table (\w+)", statement, re.MULTILINE), statement) for statement in schema())
    return {match[1]: statement for match, statement in matches if match}


def create_or_adopt(connection: sqlite3.Connection) -> None:
    """Create the tables, and copy the rows of an original `model_outcomes` into the guarded one."""
    _note_original_schema(connection)
    original = _move_aside(connection, "model_outcomes")
    # The original table was computed from the log. A view gets its name, so it is kept under another name.
    _move_aside(connection, "model_stats")
    triggers = []
    for statement in schema():
        if re.search(r"^create trigger", statement, re.MULTILINE):
            triggers.append(statement)
        else:
            connection.execute(statement)
    if original:
        _adopt(connection, original)
    # The triggers guard new rows only: old rows may have ids that jump and times in the future.
    for statement in triggers:
        connection.execute(statement)


def _note_original_schema(connection: sqlite3.Connection) -> None:
    """Keep the SQL of everything that belongs to the original tables in `original_schema`. Their triggers and indexes
    are dropped, because they would collide with the new ones."""
    belongs = "from sqlite_master where tbl_name in ('model_outcomes', 'model_stats') and sql is not null"
    if connection.execute(f"select 1 {belongs}").fetchone():
        connection.execute(f"create table original_schema as select type, name, tbl_name as table_name, sql {belongs}")


def _move_aside(connection: sqlite3.Connection, table: str) -> str | None:
    if not connection.execute("select 1 from sqlite_master where type = 'table' and name = ?", (table,)).fetchone():
        return None
    connection.execute(f"alter table {table} rename to original_{table}")
    # Indexes and triggers keep their names, which the new ones may need.
    for kind, name in connection.execute(
        "select type, name from sqlite_master where tbl_name = ? and type <> 'table' and sql is not null",
        (f"original_{table}",),
    ).fetchall():
        connection.execute(f"drop {kind} {_quoted(name)}")
    return f"original_{table}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _adopt(connection: sqlite3.Connection, original: str) -> None:
    """Copy the rows in their order, with their ids. Rows that the checks reject go to `rejected_outcomes`. The original
    table stays, with all its columns."""
    load_id = load_history.begin(connection, ORIGINAL_SOURCE, "sqlite")
    accepted = rejected = 0
    columns = ", ".join(ORIGINAL_COLUMNS)
    insert = (
        f"insert into model_outcomes (id, {columns})"
        " values (?, ?, ?, ?, coalesce(?, 0), coalesce(?, 0), coalesce(?, 0.0), ?)"
    )
    # One row at a time, because a log may be larger than the memory.
    for row_id, *row in connection.execute(f"select id, {columns} from {original} order by id"):
        number = row_id if isinstance(row_id, int) else None
        try:
            if number and number > LARGEST_ID:
                raise sqlite3.IntegrityError(f"id is above {LARGEST_ID}, and would leave none for later outcomes")
            connection.execute(insert, (number, *row))
            accepted += 1
        except sqlite3.IntegrityError as fault:
            line = RejectedLine(number or 0, messages.as_json([Fault(str(fault))]), json.dumps(row, default=repr))
            load_history.reject(connection, load_id, ORIGINAL_SOURCE, [line])
            rejected += 1
    load_history.end(connection, load_id, accepted_count=accepted, rejected_count=rejected)


def _to_2(connection: sqlite3.Connection) -> None:
    """Add the tables of runs, of the inbox and of federation. Create the mirror of the orchestrator's table, which was
    empty, again with its checks."""
    connection.execute("drop table llm_task_outcomes")
    existing = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    for name, statement in tables().items():
        if name not in existing:
            connection.execute(statement)


def _to_3(connection: sqlite3.Connection) -> None:
    """Add to `run_history` the engine of a run. Earlier runs built on SQLite."""
    _recreate(connection, "run_history")


def _to_4(connection: sqlite3.Connection) -> None:
    """Reject times in the future, and fewer tokens than their parts; existing rows stay. Allow sums above 10^18 in rows
    of exports. Add an index of loads and a count of attempts to files of the inbox."""
    connection.execute("drop trigger if exists model_outcomes_refuse_id")
    for table in ("federated_export_rows", "federated_import_rows", "inbox_files"):
        _recreate(connection, table)
    existing = {name for (name,) in connection.execute("select name from sqlite_master")}
    for statement in schema():
        created = re.search(r"^create (?:trigger|index) (\w+)", statement, re.MULTILINE)
        if created and created[1] not in existing:
            connection.execute(statement)


def _to_5(connection: sqlite3.Connection) -> None:
    """Add columns to the log, and the table of corrections with its triggers. An outcome may have timed out and
    succeeded; a known event_id with another task_id is rejected. Add a checksum to loads."""
    _redefine(connection, "model_outcomes")
    _recreate(connection, "load_history")
    connection.execute("drop trigger if exists model_outcomes_ignore_retry")
    existing = {name for (name,) in connection.execute("select name from sqlite_master")}
    for statement in schema():
        created = re.search(r"^create (?:table|trigger|index) (\w+)", statement, re.MULTILINE)
        if created and created[1] not in existing:
            connection.execute(statement)


def _redefine(connection: sqlite3.Connection, table: str) -> None:
    """Give a table the definition of schema.sql, which may add nullable columns at its end and accept more values.

    No row is rewritten, so a log of any size is upgraded at once: see "Making Other Kinds Of Table Schema Changes" in
    SQLite's documentation of ALTER TABLE. If SQLite refuses that (in its defensive mode), the rows are copied.
    """
    (version,) = connection.execute("pragma schema_version").fetchone()
    try:
        connection.execute("pragma writable_schema = on")
        connection.execute(
            "update sqlite_master set sql = ? where type = 'table' and name = ?",
            (_definition(table), table),
        )
    except sqlite3.OperationalError:
        belonging = connection.execute(
            "select sql from sqlite_master where tbl_name = ? and type in ('index', 'trigger') and sql is not null",
            (table,),
        ).fetchall()
        _recreate(connection, table)
        for (statement,) in belonging:
            connection.execute(statement)
    finally:
        connection.execute("pragma writable_schema = off")
    connection.execute(f"pragma schema_version = {version + 1}")


def _definition(table: str) -> str:
    """Return the statement that creates a table, as sqlite_master has it."""
    statement = tables()[table].strip().removesuffix(";")
    return "CREATE TABLE" + statement[statement.index(f"create table {table}") + len("create table") :]


def _recreate(connection: sqlite3.Connection, table: str) -> None:
    """Create a table again as in schema.sql, with its rows. A new column has its default. `alter table add column`
    would append new columns, so that upgraded files would differ from new ones."""
    original = _move_aside(connection, table)
    connection.execute(tables()[table])
    columns = ", ".join(name for (name,) in connection.execute("select name from pragma_table_info(?)", (original,)))
    connection.execute(f"insert into {table} ({columns}) select {columns} from {original}")
    connection.execute(f"drop table {original}")


UPGRADES: dict[int, Callable[[sqlite3.Connection], None]] = {1: _to_2, 2: _to_3, 3: _to_4, 4: _to_5}
