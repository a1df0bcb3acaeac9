"""The orchestrator's database: opened read-only, read as of one moment, and recognized if it has not changed."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from model_outcomes.base import connection, paths
from model_outcomes.base.errors import InputBusyError, OutcomesError
from model_outcomes.intake.uok.rows import COLUMNS, REQUIRED, Row
from model_outcomes.log import file_identity, store

TABLE = "llm_task_outcomes"
BATCH_ROWS = 5_000
# How long the times of a file may not show a change: two ticks of a slow kernel, or the whole seconds of some file
# systems.
TICK_S = 0.02
COARSE_TICK_S = 2.0


def expect_file(path: Path) -> None:
    """Raise OutcomesError if `path` is no readable file, or its name is no text."""
    paths.source_name(path)
    if file_identity.file_status(path) is None:
        raise OutcomesError(f"no database at {path}: name the orchestrator's own, the one with {TABLE}")
    if not os.access(path, os.R_OK):
        raise OutcomesError(f"{path}: no permission to read it")


@contextmanager
def opened(path: Path, *, to_write: bool = False) -> Iterator[sqlite3.Connection]:
    """Yield the existing database at `path`. Its errors become one line each (OutcomesError)."""
    expect_file(path)
    with plain_faults(path, to_write):
        mode = "mode=rw" if to_write else "mode=ro"
        with closing(connection.open_sqlite(path, mode, wait_s=store.busy_timeout())) as database:
            database.text_factory = _text
            yield database


@contextmanager
def plain_faults(path: Path, to_write: bool) -> Iterator[None]:
    """Turn SQLite's errors into plain ones, as `store.plain_faults`, also those of another program's file."""
    with store.plain_faults(path):
        try:
            yield
        except sqlite3.OperationalError as fault:
            if file_identity.is_busy(fault):
                raise InputBusyError(f"{path} is locked by another writer: try again later") from None
            if "readonly database" in str(fault) and to_write:
                raise OutcomesError(f"{path}: no permission to write to it") from None
            if "readonly database" in str(fault):
                raise OutcomesError(
                    f"{path} was left in the middle of a write, which cannot be repaired read-only: "
                    "let the orchestrator open it once"
                ) from None
            if "unable to open database file" in str(fault):
                raise OutcomesError(
                    f"{path} cannot be read in its folder: let SQLite create {path.name}-shm there"
                ) from None
            raise


def without_table(path: Path) -> OutcomesError:
    """Return the error of a database that is no orchestrator's."""
    return OutcomesError(f"{path} has no table {TABLE}: name the orchestrator's own database")


def columns(database: sqlite3.Connection, path: Path) -> list[str]:
    """Return the columns of the table. Raises OutcomesError if there is no table, or a required column is missing."""
    names = [str(row[1]).lower() for row in database.execute(f"pragma table_info({TABLE})")]
    if not names:
        raise without_table(path)
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise OutcomesError(
            f"{path}: {TABLE} has no column {', '.join(missing)}, which is required (it has {', '.join(names)})"
        )
    return names


def batches(path: Path) -> Iterator[list[tuple[int, Row]]]:
    """Yield all rows as (rowid, values of COLUMNS) in the order of their insertion, as of one moment: one statement
    does not see what is written while it runs."""
    with opened(path) as database:
        names = columns(database, path)
        values = ", ".join(name if name in names else "null" for name in COLUMNS)
        line, order = ("rowid", " order by rowid") if _has_rowid(database) else ("0", "")
        rows = database.execute(f"select {line}, {values} from {TABLE}{order}")
        while batch := rows.fetchmany(BATCH_ROWS):
            yield [(row[0], row[1:]) for row in batch]


def fingerprint(path: Path) -> str | None:
    """Return a digest that changes with every commit, with WAL and without: of the files' sizes, times and headers.

    File times change only once in a tick, so a file that changed a moment ago is examined again a tick later. Return
    None if a further commit could still leave the digest as it is.
    """
    path = path.resolve()  # SQLite keeps the WAL beside the file that a link leads to
    digest, age_s, tick_s = _fingerprint(path)
    if age_s < tick_s == TICK_S:
        time.sleep(TICK_S)
        digest, age_s, tick_s = _fingerprint(path)
    return digest if age_s >= tick_s else None


def _fingerprint(path: Path) -> tuple[str, float, float]:
    digest = hashlib.sha256()
    newest = 0
    is_coarse = True
    # An empty -wal counts as a missing one: a reader leaves it behind.
    for file, header in ((path, 100), (Path(f"{path}-wal"), 32), (Path(f"{path}-journal"), 28)):
        try:
            with file.open("rb") as stream:
                start = stream.read(header)
                status = os.fstat(stream.fileno())
        except FileNotFoundError:
            continue
        except OSError as fault:
            raise OutcomesError(f"{file}: {fault.strerror}") from None
        if start:
            # If root opens a WAL, SQLite gives it to the owner of the database each time, so its ctime changes.
            times = (status.st_mtime_ns, status.st_ctime_ns if file == path else 0)
            newest = max(newest, *times)
            is_coarse = is_coarse and not any(moment % 10**9 for moment in times)
            identity = (file.name, status.st_dev, status.st_ino, status.st_size, *times, start)
            digest.update(repr(identity).encode())
    return digest.hexdigest(), time.time() - newest / 1e9, COARSE_TICK_S if is_coarse else TICK_S


def _has_rowid(database: sqlite3.Connection) -> bool:
    try:
        database.execute(f"select rowid from {TABLE} limit 0")
    except sqlite3.OperationalError:
        return False
    return True


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
