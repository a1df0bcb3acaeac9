"""Copies the database as of one moment to one file, while others write."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from model_outcomes.base import outputs
from model_outcomes.base.errors import OutcomesError
from model_outcomes.log import file_identity, store


def back_up(database: Path, path: Path) -> int:
    """Copy a database to the file `path`, which appears complete or not at all. Return its size in bytes.

    The copy replaces an older backup, but no other file. Only its owner may read a new one, because it holds the log.
    Raises OutcomesError if it cannot be written, or if the database is damaged.
    """
    copy = outputs.check(path, database, "backup of a log", _is_backup)
    source = store.open_existing(database, is_current=False)
    with closing(source):
        try:
            copy.parent.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise OutcomesError(f"cannot write {path}: {fault.strerror}") from None
        with outputs.replacing(copy, is_private=True) as unfinished:
            _copy(source, database, unfinished, path)
    return copy.stat().st_size


def _copy(source: sqlite3.Connection, database: Path, unfinished: Path, path: Path) -> None:
    """Copy the database to the file `unfinished`; messages name `path`."""
    with closing(sqlite3.connect(unfinished, isolation_level=None)) as target:
        try:
            # In one step, which is one read transaction: writers continue, and the copy is as of one moment.
            source.backup(target)
            target.execute("pragma journal_mode = delete")
        except sqlite3.OperationalError as fault:
            if file_identity.is_busy(fault):
                raise store.plain_fault(database, fault) from fault
            raise OutcomesError(f"cannot write {path}: {fault}") from fault
        except sqlite3.DatabaseError as fault:
            raise store.plain_fault(database, fault) from fault
        damage = file_identity.find_damage(target)
        if damage is not None:
            raise file_identity.damaged(database, damage)


def _is_backup(path: Path) -> bool:
    """Return whether the file is a backup, and not a log in use: that is in WAL mode."""
    return outputs.is_sqlite(path) and store.identify(path).kind == "log" and not outputs.is_in_use(path)
