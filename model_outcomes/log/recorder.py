"""Recording that does not fail its caller: into the log, and if that cannot be, into the spool.

An outcome counts as recorded once it is committed *and* the log's path still names the file that took it. Each outcome
has an event_id before its first try, so that it counts once even if it is written twice, to another file or to the
spool.

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
from contextlib import closing, suppress
from pathlib import Path
from typing import TypeVar

from model_outcomes.base import clock
from model_outcomes.base.errors import BusyError, NotKeptError, OutcomesError
from model_outcomes.log import file_identity, outcome, spool, store
from model_outcomes.log.outcome import COLUMNS, INSERT, InvalidOutcome, Outcome

Answer = TypeVar("Answer")

CHECK_EVERY_S = 1.0  # after this time a recorder checks before it writes that its file is still in place
POLL_EVERY_S = 0.001  # between two tries of a log that another writer holds
TRIES = 3  # of an outcome whose file is replaced again and again while it is committed
RESCUED_ROWS = 1_000  # outcomes that are read and spooled at a time


class Recorder:
    """A log that outcomes are written to, opened when the first one comes.

    `trouble` says why the last outcome went to the spool. While there is trouble the log is tried
    at each outcome, but not waited for.
    """

    def __init__(self, path: Path, durability: str | None = None) -> None:
        self.path = path
        self.trouble: OutcomesError | None = None
        self._name = str(path)
        self._durability = durability
        self._connection: store.Log | None = None
        self._has_opened = False
        self._size = self._modified_ns = 0
        self._first_id: int | None = None
        self._check_at = 0.0
        self._lock = threading.RLock()
        _living.add(self)

    def insert(self, new: Outcome) -> None:
        """Commit an outcome to the log.

        Raises InvalidOutcome if the log's guards refuse it, BusyError if others hold the log for too long,
        OutcomesError if it cannot be written or its path keeps naming other files.
        """
        with self._lock:
            try:
                self._insert(new)
            except InvalidOutcome:
                raise
            except OutcomesError as fault:
                self._note_trouble(fault)
                raise
            except (sqlite3.Error, UnicodeDecodeError) as fault:
                raise self._note_trouble(store.plain_fault(self.path, fault)) from fault
            except Exception as fault:  # an unexpected fault must not lose the outcome
                raise self._note_trouble(OutcomesError(f"{self.path}: {type(fault).__name__}: {fault}")) from fault
            self.trouble = None

    def keep(self, new: Outcome) -> Path | None:
        """Commit an outcome to the log or, if that is not possible, to a spool, whose path is returned.

        Raises InvalidOutcome as `insert`, NotKeptError if no spool can be written.
        """
        with self._lock:  # of the spool too: a fork meanwhile would take its file lock along
            try:
                self.insert(new)
            except InvalidOutcome:
                raise
            except OutcomesError as fault:
                path = spool.append(self.path, new)
                if isinstance(fault, NotKeptError):  # of what was recorded before, into a file that is gone
                    raise
                return path
        return None

    def ask(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Return the answer of a log that exists, or of a published snapshot, which is only read. Raises
        OutcomesError."""
        with self._lock, store.plain_faults(self.path):
            if self._connection is None and not file_identity.exists(self.path):
                raise OutcomesError(
                    file_identity.orphaned_wal(self.path) or f"no database at {self.path}: run `loader init`"
                )
            if self._connection is None and store.is_snapshot(self.path):
                with closing(store.open_existing(self.path)) as snapshot:
                    return question(snapshot)
            connection = self._open()
            connection.execute(f"pragma busy_timeout = {round(self._wait_s() * 1000)}")
            try:
                return question(connection)
            finally:
                connection.execute("pragma busy_timeout = 0")

    def close(self) -> None:
        """Close the log; it is opened again when it is needed."""
        with self._lock:
            if self._connection is None:
                return
            if not store.is_in_place(self._connection, self.path):
                self._leave()
            self._disconnect()

    def _insert(self, new: Outcome) -> None:
        row = new.row()
        for _ in range(TRIES):
            connection = self._connection
            if connection is None or time.monotonic() >= self._check_at:
                connection = self._open()
            try:
                last_id = self._insert_when_free(connection, row)
            except sqlite3.IntegrityError as fault:
                if new.timestamp > outcome.horizon(clock.utc_now()):
                    raise OutcomesError("the clock was set back after this outcome got its time") from fault
                raise InvalidOutcome([str(fault)]) from None
            except UnicodeEncodeError:
                raise outcome.not_unicode(new) from None
            self._first_id = self._first_id or last_id
            if self._is_whole(connection):
                return
            self._leave()
        raise OutcomesError(f"{self.path} was replaced at each of {TRIES} tries to write to it")

    def _insert_when_free(self, connection: sqlite3.Connection, row: Sequence[object]) -> int | None:
        """Insert a row and return its id.

        SQLite's own waiting sleeps ever longer, up to 100 ms, and misses the gaps that a build or a load
        leaves for writers: here each of them is found within a millisecond or two.
        """
        deadline = None
        while True:
            try:
                return connection.execute(INSERT, row).lastrowid
            except sqlite3.OperationalError as fault:
                if not file_identity.is_busy(fault):
                    raise
                now = time.monotonic()
                deadline = now + self._wait_s() if deadline is None else deadline
                if now >= deadline:
                    raise
                time.sleep(POLL_EVERY_S)

    def _wait_s(self) -> float:
        """Return how long to wait for others, in seconds: 0 while there is trouble, because the first try waited."""
        return 0.0 if self.trouble else store.busy_timeout(store.RECORD_BUSY_TIMEOUT)

    def _open(self) -> store.Log:
        if self._connection is not None and not self._is_whole(self._connection):
            self._leave()
        if self._connection is None:
            if self._has_opened and not file_identity.exists(self.path):
                # The file may come back and take the place of a new one, with all outcomes in it.
                raise OutcomesError(
                    file_identity.orphaned_wal(self.path)
                    or f"{self.path} was moved away or removed: put it back, or make a new one with `loader init`"
                )
            self._connection = store.create_or_open(
                self.path, timeout=self._wait_s(), durability=self._durability, with_folder=False
            )
            self._connection.execute("pragma busy_timeout = 0")
            self._has_opened, self._size, self._first_id = True, 0, None
            self._modified_ns = os.stat(self._name).st_mtime_ns  # noqa: PTH116
            self._is_whole(self._connection)
        return self._connection

    def _is_whole(self, connection: store.Log) -> bool:
        """Return whether the path still names the open file, and nothing has cut it off."""
        self._check_at = time.monotonic() + CHECK_EVERY_S
        try:
            status = os.stat(self._name)  # noqa: PTH116 - at each outcome: Path's takes longer
        except OSError:
            return False
        if (status.st_dev, status.st_ino) != connection.identity or status.st_size < self._size:
            return False
        if status.st_mtime_ns != self._modified_ns:  # after a checkpoint; or somebody overwrote it
            store.probe(self.path)
        self._size, self._modified_ns = status.st_size, status.st_mtime_ns
        return True

    def _leave(self) -> None:
        """Close a file that is moved, removed, replaced or cut off, and keep what was recorded in it.

        A file that was moved gets all that its WAL holds, which else would stay behind under the old name.
        What this recorder wrote into a file that is gone for good goes to the spool.
        """
        connection = self._connection
        assert connection is not None
        is_moved = not store.is_in_place(connection, self.path)
        try:
            if not is_moved or not _has_a_name(connection):
                self._rescue(connection)
            if is_moved:
                # An empty WAL is no danger to the file that comes to the old path.
                connection.execute("pragma wal_checkpoint(truncate)")
        finally:
            self._disconnect()

    def _rescue(self, connection: sqlite3.Connection) -> None:
        """Spool every named outcome since the first one that this recorder wrote."""
        if not self._first_id:
            return
        query = f"select {', '.join(COLUMNS)} from model_outcomes where id >= ? and event_id is not null order by id"
        with suppress(sqlite3.Error):  # what a damaged file does not give
            rows = connection.execute(query, (self._first_id,))
            while some := rows.fetchmany(RESCUED_ROWS):
                rescued = []
                for row in some:
                    with suppress(InvalidOutcome):  # of plain SQL, such as a name of 600 characters
                        rescued.append(outcome.from_row(row))
                spool.append(self.path, *rescued)

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _note_trouble(self, fault: OutcomesError) -> OutcomesError:
        self.trouble = fault
        if not isinstance(fault, BusyError):
            with suppress(Exception):
                self.close()
        return fault


def _has_a_name(connection: store.Log) -> bool:
    """Return whether any path still names the file that a connection has open; True if nobody can tell."""
    with suppress(OSError):
        for name in os.listdir("/dev/fd"):  # noqa: PTH208 - names that need no Path
            with suppress(OSError):
                status = os.fstat(int(name))
                if (status.st_dev, status.st_ino) == connection.identity:
                    return status.st_nlink > 0
    return True


_living: weakref.WeakSet[Recorder] = weakref.WeakSet()
_forking = threading.Lock()
_held: list[Recorder] = []


def _before_fork() -> None:
    _forking.acquire()
    for recorder in list(_living):
        recorder._lock.acquire()
        with suppress(Exception):  # a fork must not fail for it
            recorder.close()
        _held.append(recorder)


def _after_fork() -> None:
    while _held:
        _held.pop()._lock.release()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
