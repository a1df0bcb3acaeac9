"""A copy of the database, taken beside writers, that is one moment of it and one file."""

from __future__ import annotations

import glob
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from loader import store
from loader.errors import OutcomesError

ABANDONED_AFTER = 3600.0  # seconds without a change, after which a half-written copy is one that was killed


def back_up(database: Path, copy: Path) -> int:
    """Copy a database to `copy`, which appears whole or not at all; its size in bytes.

    An older backup is replaced, any other file is not. Raises OutcomesError where it cannot be written,
    or what was copied is damaged.
    """
    if copy.exists():
        _expect_backup(copy, database)
    unfinished = copy.with_name(f".{copy.name}.{os.getpid()}.unfinished")
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(copy)
        with (
            closing(store.open_existing(database)) as source,
            closing(sqlite3.connect(unfinished, isolation_level=None)) as target,
            store.plain_faults(unfinished),
        ):
            # In one step, which is one read of SQLite's: writers go on, and it is one moment.
            source.backup(target)
            target.execute("pragma journal_mode = delete")
            (found,) = target.execute("pragma quick_check(1)").fetchone()
            if found != "ok":
                raise OutcomesError(f"{database} is damaged: {found}; see `loader doctor`")
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        size = unfinished.stat().st_size
        unfinished.replace(copy)
    except OSError as fault:
        raise OutcomesError(f"cannot write {copy}: {fault.strerror}") from None
    finally:
        for left in (unfinished, Path(f"{unfinished}-journal"), Path(f"{unfinished}-wal")):
            left.unlink(missing_ok=True)
    return size


def _remove_abandoned(copy: Path) -> None:
    """What backups to this file left that were killed; one that is still at work writes all the time."""
    for left in copy.parent.glob(f".{glob.escape(copy.name)}.*.unfinished*"):
        if time.time() - left.stat().st_mtime > ABANDONED_AFTER:
            left.unlink(missing_ok=True)


def _expect_backup(copy: Path, database: Path) -> None:
    if copy.is_dir():
        raise OutcomesError(f"{copy} is a folder: name a file")
    if database.exists() and copy.samefile(database):
        raise OutcomesError(f"{copy} is the database itself")
    for beside in ("-wal", "-shm"):
        if Path(f"{copy}{beside}").exists():
            raise OutcomesError(f"{copy} is in use: {copy}{beside} lies beside it")
    try:
        with closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro", uri=True)) as connection:
            is_log = connection.execute("select 1 from sqlite_master where name = 'model_outcomes'").fetchone()
    except sqlite3.Error:
        is_log = None
    if not is_log:
        raise OutcomesError(f"{copy} is there already, and no backup of a log: name another file")
