"""The orchestrator's database: opened read-only, read as one picture, known again when it has not changed."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from model_outcomes.base import paths
from model_outcomes.base.errors import InputBusyError, OutcomesError
from model_outcomes.intake.uok.rows import COLUMNS, REQUIRED, Row
from model_outcomes.log import file_identity, store

TABLE = "llm_task_outcomes"
BATCH = 5_000
# How long a change may go unseen in a file's times: two ticks of a slow kernel, or the whole
# seconds that some file systems count in.
TICK = 0.02
COARSE_TICK = 2.0


def expect_file(path: Path) -> None:
    """Raise OutcomesError if `path` is no file that can be read, or its name is no text."""
    paths.source_name(path)
    try:
        mode = path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise OutcomesError(f"no database at {path}: name the orchestrator's own, the one with {TABLE}") from None
    except OSError as fault:
        raise OutcomesError(f"{path}: {fault.strerror}") from None
    if stat.S_ISDIR(mode):
        raise OutcomesError(f"{path} is a folder, not a database file")
    if not stat.S_ISREG(mode):
        raise OutcomesError(f"{path} is a device or a pipe, not a database file")
    if not os.access(path, os.R_OK):
        raise OutcomesError(f"{path}: no permission to read it")


@contextmanager
def opened(path: Path, mode: str = "ro") -> Iterator[sqlite3.Connection]:
    """Yield the database at `path`, which must be there; its faults are one line each (OutcomesError)."""
    expect_file(path)
    with plain_faults(path, mode):
        uri = f"{path.as_uri()}?mode={mode}"
        with closing(sqlite3.connect(uri, uri=True, timeout=store.busy_timeout(), isolation_level=None)) as connection:
            connection.text_factory = _text
            yield connection


@contextmanager
def plain_faults(path: Path, mode: str) -> Iterator[None]:
    """Turn faults into plain ones as `store.plain_faults` does, and those that only somebody else's file has."""
    with store.plain_faults(path):
        try:
            yield
        except sqlite3.OperationalError as fault:
            if file_identity.is_busy(fault):
                raise InputBusyError(f"{path} is locked by another writer: try again later") from None
            if "readonly database" in str(fault) and mode == "rw":
                raise OutcomesError(f"{path}: no permission to write to it") from None
            if "readonly database" in str(fault):
                raise OutcomesError(
                    f"{path} was left in the middle of a write, and cannot be mended read-only: "
                    "let the orchestrator open it once"
                ) from None
            if "unable to open database file" in str(fault):
                raise OutcomesError(
                    f"{path} cannot be read in its folder: SQLite must be able to make {path.name}-shm there"
                ) from None
            raise


def without_table(path: Path) -> OutcomesError:
    """Return the fault of a database that is not an orchestrator's."""
    return OutcomesError(f"{path} has no table {TABLE}: name the orchestrator's own database")


def columns(connection: sqlite3.Connection, path: Path) -> list[str]:
    """Return the columns of its table; raises OutcomesError if there is none, or one that counts is missing."""
    names = [str(row[1]).lower() for row in connection.execute(f"pragma table_info({TABLE})")]
    if not names:
        raise without_table(path)
    missing = [name for name in REQUIRED if name not in names]
    if missing:
        raise OutcomesError(
            f"{path}: {TABLE} has no column {', '.join(missing)}, which is required (it has {', '.join(names)})"
        )
    return names


def batches(path: Path) -> Iterator[list[tuple[int, Row]]]:
    """Yield all rows as (rowid, values of COLUMNS), in the order in which they were written, as of one
    moment: it is one statement, so that what is written meanwhile is seen by the next one."""
    with opened(path) as connection:
        there = columns(connection, path)
        values = ", ".join(name if name in there else "null" for name in COLUMNS)
        line, order = ("rowid", " order by rowid") if _has_rowid(connection) else ("0", "")
        rows = connection.execute(f"select {line}, {values} from {TABLE}{order}")
        while batch := rows.fetchmany(BATCH):
            yield [(found[0], found[1:]) for found in batch]


def fingerprint(path: Path) -> str | None:
    """Return what changes with every commit: the files' sizes, times and headers, with WAL and without.

    None if a further commit could leave it as it is: file times stand still for a tick. So a
    file that changed a moment ago is looked at again a tick later.
    """
    path = path.resolve()  # SQLite keeps the WAL beside the file that a link leads to
    found, age, tick = _fingerprint(path)
    if age < tick == TICK:
        time.sleep(TICK)
        found, age, tick = _fingerprint(path)
    return found if age >= tick else None


def _fingerprint(path: Path) -> tuple[str, float, float]:
    digest = hashlib.sha256()
    newest = 0
    is_coarse = True
    # An empty -wal says no more than a missing one: a reader leaves it behind.
    for file, header in ((path, 100), (Path(f"{path}-wal"), 32), (Path(f"{path}-journal"), 28)):
        try:
            with file.open("rb") as stream:
                start = stream.read(header)
                found = os.fstat(stream.fileno())
        except FileNotFoundError:
            continue
        except OSError as fault:
            raise OutcomesError(f"{file}: {fault.strerror}") from None
        if start:
            # Where root opens a WAL, SQLite gives it to the database's owner each time: a new ctime.
            times = (found.st_mtime_ns, found.st_ctime_ns if file == path else 0)
            newest = max(newest, *times)
            is_coarse = is_coarse and not any(moment % 10**9 for moment in times)
            said = (file.name, found.st_dev, found.st_ino, found.st_size, *times, start)
            digest.update(repr(said).encode())
    return digest.hexdigest(), time.time() - newest / 1e9, COARSE_TICK if is_coarse else TICK


def _has_rowid(connection: sqlite3.Connection) -> bool:
    try:
        connection.execute(f"select rowid from {TABLE} limit 0")
    except sqlite3.OperationalError:
        return False
    return True


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
