"""Writes the log to tables of a PostgreSQL database, through COPY.

Each stretch of outcomes is one transaction. The next export continues after the highest id in the table, also after
an export that was killed.
"""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

from model_outcomes.base.errors import BusyError, OutcomesError, expect_installed
from model_outcomes.warehouse.engines import log_tables
from model_outcomes.warehouse.engines.log_tables import LOG, Column, Export, Table

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Server
    from psycopg2.extensions import cursor as Cursor

STRETCH_ROWS = 250_000
TYPES = {"INTEGER": "bigint", "REAL": "double precision", "TEXT": "text"}
# One export at a time; the number is arbitrary.
LOCK = "select pg_try_advisory_lock(7019442268015)"
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\N{REPLACEMENT CHARACTER}"})

Progress = Callable[[int], None]


def export(connection: sqlite3.Connection, dsn: str, *, stretch: int = STRETCH_ROWS,
           progress: Progress = lambda rows: None) -> Export:  # fmt: skip
    """Export what is new in the log to the tables of the database at `dsn`; create missing tables. Call `progress` with
    the number of outcomes in each stretch.

    Raises OutcomesError if the database cannot be reached, sorts texts in another order than the log, or holds another
    log; BusyError if another export is running.
    """
    with _connected(dsn) as server:
        with server, server.cursor() as cursor:
            _expect_binary_order(cursor)
            cursor.execute(LOCK)
            if not cursor.fetchone()[0]:
                raise BusyError("busy: another export to this database is running; try again later")
            log = log_tables.table(connection, LOG)
            _create(cursor, log, ["id"])
            last = _last_exported(connection, cursor, log)
        total = 0
        for part in log_tables.stretches(connection, last, stretch):
            with server, server.cursor() as cursor, log_tables.reading(connection):
                _copy(cursor, log, log_tables.outcomes(connection, log, part))
                _expect(cursor, f"{LOG} where id > {part.after} and id <= {part.last}", part.rows)
            progress(part.rows)
            last, total = part.last, total + part.rows
        with server, server.cursor() as cursor, log_tables.reading(connection):
            others = {name: _replace(connection, cursor, name, last) for name in log_tables.OTHER_TABLES}
        return Export(total, last, others)


@contextmanager
def _connected(dsn: str) -> Iterator[Server]:
    expect_installed("postgres", "psycopg2")
    import psycopg2

    try:
        with closing(psycopg2.connect(dsn)) as server:
            yield server
    except psycopg2.Error as fault:
        message = " ".join(str(fault).split()) or "the connection was lost"
        raise OutcomesError(f"PostgreSQL: {message}") from fault


def _expect_binary_order(cursor: Cursor) -> None:
    """Raise OutcomesError if the database does not sort texts by bytes: names break ties, so their order matters."""
    cursor.execute("select datname, datcollate, pg_encoding_to_char(encoding) from pg_database"
                   " where datname = current_database()")  # fmt: skip
    name, collation, encoding = cursor.fetchone()
    if collation not in ("C", "POSIX", "C.UTF-8", "C.utf8") or encoding != "UTF8":
        raise OutcomesError(
            f"the database {name} sorts by {collation} in {encoding}, not by bytes: create one with"
            " `create database outcomes template template0 lc_collate 'C' lc_ctype 'C' encoding 'UTF8'`"
        )


def _create(cursor: Cursor, table: Table, key: list[str]) -> None:
    columns = [_declared(column) for column in table.columns]
    keys = [f"primary key ({', '.join(key)})"] if key else []
    cursor.execute(f"create table if not exists {table.name} ({', '.join([*columns, *keys])})")
    cursor.execute(f"select * from {table.name} limit 0")
    existing = [column.name for column in cursor.description or ()]
    # Columns that a later version added are null in outcomes that were exported before.
    for column in log_tables.added(table, existing):
        cursor.execute(f"alter table {table.name} add column {_declared(column)}")
        existing.append(column.name)
    if existing != table.names:
        raise OutcomesError(f"{table.name} has other columns in PostgreSQL: export to another database")


def _declared(column: Column) -> str:
    return f'"{column.name}" {TYPES[column.type]}{" not null" if column.is_required else ""}'


def _last_exported(connection: sqlite3.Connection, cursor: Cursor, log: Table) -> int:
    """Return the id of the last outcome in PostgreSQL. Raises OutcomesError if it is from another log."""
    cursor.execute(f"select {', '.join(log.names)} from {LOG} order by id desc limit 1")
    exported = cursor.fetchone()
    if exported is None:
        return 0
    last: int = exported[0]
    with log_tables.reading(connection):
        logged = connection.execute(f"{log.select} where id = ?", (last,)).fetchone()
    if logged is None or [_text(value) for value in logged] != [_text(value) for value in exported]:
        raise OutcomesError(
            f"{LOG} in PostgreSQL is another log: its outcome {last} differs; export to another database"
        )
    return last


def _replace(connection: sqlite3.Connection, cursor: Cursor, name: str, last: int) -> int:
    table = log_tables.table(connection, name)
    cursor.execute(f"select to_regclass('{name}') is not null")
    if cursor.fetchone()[0]:
        cursor.execute(f"select * from {name} limit 0")
        if [column.name for column in cursor.description or ()] != table.names:
            # It has the columns of an earlier version. Each export fills it again, and a build creates its views again.
            cursor.execute(f"drop table {name} cascade")
    _create(cursor, table, [])
    cursor.execute(f"delete from {name}")
    count, rows = log_tables.rows(connection, table, last)
    _copy(cursor, table, rows)
    _expect(cursor, name, count)
    return count


def _copy(cursor: Cursor, table: Table, chunks: Iterator[Any]) -> None:
    columns = ", ".join(f'"{name}"' for name in table.names)
    for chunk in chunks:
        lines = "".join("\t".join(map(_text, row)) + "\n" for row in chunk)
        cursor.copy_expert(f"copy {table.name} ({columns}) from stdin", io.StringIO(lines))


def _expect(cursor: Cursor, rows: str, expected: int) -> None:
    cursor.execute(f"select count(*) from {rows}")
    (count,) = cursor.fetchone()
    if count != expected:
        raise OutcomesError(f"only {count:,} of {expected:,} rows were written: {rows}")


def _text(value: Any) -> str:
    """Return a value as text for COPY; repr gives every digit of a double."""
    if value is None:
        return "\\N"
    return value.translate(ESCAPES) if isinstance(value, str) else repr(value)
