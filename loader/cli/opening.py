"""How commands come by their log."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from loader import store


@contextmanager
def log(db: Path) -> Iterator[sqlite3.Connection]:
    """The log, open for writing; made where it is missing."""
    connection = store.create_or_open(db)
    try:
        with store.plain_faults(db):
            yield connection
    finally:
        connection.close()


@contextmanager
def built(db: Path) -> Iterator[sqlite3.Connection]:
    """A log that is there, open to ask the marts."""
    connection = store.open_existing(db)
    try:
        with store.plain_faults(db):
            yield connection
    finally:
        connection.close()
