"""Recording that does not fail its caller: into the log, and where that cannot be, into the spool.

Threads may share a recorder. It lives on through a fork: SQLite cannot take a connection along,
so it is closed just before, and parent and child each open one of their own.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from loader import outcome, store
from loader.errors import BusyError, OutcomesError
from loader.outcome import INSERT, InvalidOutcome, Outcome

Answer = TypeVar("Answer")

CHECK_EVERY = 1.0  # seconds between two looks at whether the file is still the one that is open
POLL_EVERY = 0.001  # seconds between two tries of a log that another writer holds


class Recorder:
    """A log that outcomes are written to, opened when the first one comes.

    `trouble` says why the last outcome went to the spool. While there is trouble the log is tried
    at each outcome, but not waited for.
    """

    def __init__(self, path: Path, durability: str | None = None) -> None:
        self.path = path
        self.trouble: OutcomesError | None = None
        self._durability = durability
        self._connection: sqlite3.Connection | None = None
        self._inode: tuple[int, int] | None = None
        self._check_at = 0.0
        self._lock = threading.RLock()
        _living.add(self)

    def insert(self, found: Outcome) -> None:
        """Commit an outcome to the log. Raises InvalidOutcome where the log's guards refuse it,
        BusyError where others hold the log for too long, OutcomesError where it cannot be written."""
        row = found.row()
        with self._lock:
            try:
                connection = self._connection
                if connection is None or time.monotonic() >= self._check_at:
                    connection = self._open()
                self._insert_when_free(connection, row)
            except sqlite3.IntegrityError as fault:
                raise InvalidOutcome([str(fault)]) from None
            except UnicodeEncodeError:
                raise outcome.not_unicode(found) from None
            except sqlite3.Error as fault:
                raise self._troubled(store.plain_fault(self.path, fault)) from fault
            except OutcomesError as fault:
                raise self._troubled(fault) from fault
            self.trouble = None

    def keep(self, found: Outcome) -> Path | None:
        """Commit an outcome to the log or, where that is not possible, to a spool, whose path is
        returned. Raises InvalidOutcome as `insert`, NotKeptError where no spool can be written."""
        try:
            self.insert(found)
        except InvalidOutcome:
            raise
        except OutcomesError:
            from loader import spool

            return spool.append(self.path, found)
        return None

    def ask(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """The answer of a log that is there; raises OutcomesError."""
        with self._lock, store.plain_faults(self.path):
            if self._connection is None and not self.path.exists():
                raise OutcomesError(f"no database at {self.path}: run `loader init`")
            connection = self._open()
            connection.execute(f"pragma busy_timeout = {round(self._wait() * 1000)}")
            try:
                return question(connection)
            finally:
                connection.execute("pragma busy_timeout = 0")

    def close(self) -> None:
        """Close the log; it is opened again when it is needed."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _insert_when_free(self, connection: sqlite3.Connection, row: Sequence[object]) -> None:
        """SQLite's own waiting sleeps ever longer, up to 100 ms, and misses the gaps that a build or a load
        leaves for writers: here each of them is found within a millisecond or two."""
        deadline = None
        while True:
            try:
                connection.execute(INSERT, row)
                return
            except sqlite3.OperationalError as fault:
                if not store.is_busy(fault):
                    raise
                now = time.monotonic()
                deadline = now + self._wait() if deadline is None else deadline
                if now >= deadline:
                    raise
                time.sleep(POLL_EVERY)

    def _wait(self) -> float:
        """Seconds that others are waited for: none while there is trouble, which was waited for already."""
        return 0.0 if self.trouble else store.busy_timeout(store.RECORD_BUSY_TIMEOUT)

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._identify() != self._inode:
            self.close()  # moved or removed: what is written to it now, nobody would find
        if self._connection is None:
            self._connection = store.create_or_open(
                self.path, timeout=self._wait(), durability=self._durability, with_folder=False
            )
            self._connection.execute("pragma busy_timeout = 0")
            self._inode = self._identify()
        return self._connection

    def _identify(self) -> tuple[int, int] | None:
        self._check_at = time.monotonic() + CHECK_EVERY
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _troubled(self, fault: OutcomesError) -> OutcomesError:
        self.trouble = fault
        if not isinstance(fault, BusyError):
            self.close()
        return fault


_living: weakref.WeakSet[Recorder] = weakref.WeakSet()
_forking = threading.Lock()
_held: list[Recorder] = []


def _before_fork() -> None:
    _forking.acquire()
    for recorder in list(_living):
        recorder._lock.acquire()
        recorder.close()
        _held.append(recorder)


def _after_fork() -> None:
    while _held:
        _held.pop()._lock.release()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
