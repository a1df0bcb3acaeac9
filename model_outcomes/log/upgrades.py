"""Upgrades from one schema version to the next. `UPGRADES[n]` takes a file of version n to n + 1.

Each runs inside the transaction of the upgrade: a file is wholly of one version or of the other.
A file without a version becomes one of the newest at once, which is what schema.sql describes: it
is an empty file, or one that an earlier tool wrote with the original columns of `model_outcomes`
alone and a `model_stats` table that it kept up to date.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator

ORIGINAL_COLUMNS = ("task_type", "model_id", "success", "timeout", "tokens_used", "cost_usd", "timestamp")
LARGEST_ID = 2**53  # SQLite gives ids up to 2**63; other programs read them as doubles


def statements(script: str) -> Iterator[str]:
    """Yield the statements of an SQL script, one by one (executescript would commit the transaction)."""
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
    """Return the statements of schema.sql that create a table, by its name."""
    found = ((re.search(r"^create table (\w+)", statement, re.MULTILINE), statement) for statement in schema())
    return {match[1]: statement for match, statement in found if match}


def create_or_adopt(connection: sqlite3.Connection) -> None:
    """Create the tables; rows of an original `model_outcomes` move into the guarded one."""
    _note_original_schema(connection)
    original = _move_aside(connection, "model_outcomes")
    # It was computed from the log, and a view of that name will be: kept, under another name.
    _move_aside(connection, "model_stats")
    triggers = []
    for statement in schema():
        if re.search(r"^create trigger", statement, re.MULTILINE):
            triggers.append(statement)
        else:
            connection.execute(statement)
    if original:
        _adopt(connection, original)
    # They guard what comes from now on: ids that jump, and what lies ahead of the clock, was there before.
    for statement in triggers:
        connection.execute(statement)


def _note_original_schema(connection: sqlite3.Connection) -> None:
    """Keep the text of everything that belongs to the original tables in `original_schema`: their triggers and
    indexes go, as they would get in the way of the new ones."""
    belongs = "from sqlite_master where tbl_name in ('model_outcomes', 'model_stats') and sql is not null"
    if connection.execute(f"select 1 {belongs}").fetchone():
        connection.execute(f"create table original_schema as select type, name, tbl_name as table_name, sql {belongs}")


def _move_aside(connection: sqlite3.Connection, table: str) -> str | None:
    if not connection.execute("select 1 from sqlite_master where type = 'table' and name = ?", (table,)).fetchone():
        return None
    connection.execute(f"alter table {table} rename to original_{table}")
    # Names of indexes and triggers stay behind, and may be those of the new ones.
    for kind, name in connection.execute(
        "select type, name from sqlite_master where tbl_name = ? and type <> 'table' and sql is not null",
        (f"original_{table}",),
    ).fetchall():
        connection.execute(f"drop {kind} {_quoted(name)}")
    return f"original_{table}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _adopt(connection: sqlite3.Connection, original: str) -> None:
    """Copy the rows in their order, with their ids; what the checks refuse goes to `rejected_outcomes`. The original
    table stays, with all its columns."""
    now = "strftime('%Y-%m-%dT%H:%M:%fZ', 'now')"
    load_id = connection.execute(
        "insert into load_history (source, format, start_offset, end_offset, end_line, head_bytes,"
        " head_sha256, tail_sha256, started_at, finished_at)"
        f" values ('an unversioned model_outcomes table', 'sqlite', 0, 0, 0, 0, '', '', {now}, {now})"
    ).lastrowid
    counts = {"accepted": 0, "rejected": 0}
    columns = ", ".join(ORIGINAL_COLUMNS)
    insert = (
        f"insert into model_outcomes (id, {columns})"
        " values (?, ?, ?, ?, coalesce(?, 0), coalesce(?, 0), coalesce(?, 0.0), ?)"
    )
    # One row at a time: a log may be larger than the memory.
    for row_id, *row in connection.execute(f"select id, {columns} from {original} order by id"):
        try:
            if isinstance(row_id, int) and row_id > LARGEST_ID:
                raise sqlite3.IntegrityError(f"id is above {LARGEST_ID}, and would leave none for later outcomes")
            connection.execute(insert, (row_id if isinstance(row_id, int) else None, *row))
            counts["accepted"] += 1
        except sqlite3.IntegrityError as fault:
            connection.execute(
                "insert into rejected_outcomes (load_id, source, line_number, reasons, raw_text, rejected_at)"
                f" values (?, 'an unversioned model_outcomes table', ?, ?, ?, {now})",
                (
                    load_id,
                    row_id if isinstance(row_id, int) else 0,
                    json.dumps([str(fault)]),
                    json.dumps(row, default=repr),
                ),
            )
            counts["rejected"] += 1
    connection.execute(
        "update load_history set accepted_count = ?, rejected_count = ? where load_id = ?",
        (counts["accepted"], counts["rejected"], load_id),
    )


def _to_2(connection: sqlite3.Connection) -> None:
    """Tables of runs, of the inbox and of federation come in, and the mirror of the orchestrator's table, which
    nothing filled before, gets its checks."""
    connection.execute("drop table llm_task_outcomes")
    standing = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    for name, statement in tables().items():
        if name not in standing:
            connection.execute(statement)


def _to_3(connection: sqlite3.Connection) -> None:
    """Let `run_history` say on which engine a run built; the runs before built on SQLite."""
    _make_again(connection, "run_history")


def _to_4(connection: sqlite3.Connection) -> None:
    """Let the log refuse times ahead of the clock, and fewer tokens than their parts; existing rows stay. Rows of
    exports may hold sums above 10^18, an index finds loads, and files of the inbox have a count of attempts."""
    connection.execute("drop trigger if exists model_outcomes_refuse_id")
    for table in ("federated_export_rows", "federated_import_rows", "inbox_files"):
        _make_again(connection, table)
    existing = {name for (name,) in connection.execute("select name from sqlite_master")}
    for statement in schema():
        created = re.search(r"^create (?:trigger|index) (\w+)", statement, re.MULTILINE)
        if created and created[1] not in existing:
            connection.execute(statement)


def _make_again(connection: sqlite3.Connection, table: str) -> None:
    """Make a table again as schema.sql has it, with its rows; a new column has its default. `alter table add column`
    would put new columns at the end, and so make upgraded files differ from new ones."""
    original = _move_aside(connection, table)
    connection.execute(tables()[table])
    columns = ", ".join(name for (name,) in connection.execute("select name from pragma_table_info(?)", (original,)))
    connection.execute(f"insert into {table} ({columns}) select {columns} from {original}")
    connection.execute(f"drop table {original}")


UPGRADES: dict[int, Callable[[sqlite3.Connection], None]] = {1: _to_2, 2: _to_3, 3: _to_4}
