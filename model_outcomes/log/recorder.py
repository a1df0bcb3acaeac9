"""Recording that does not fail its caller: to the log or, if that is impossible, to a spool.

An outcome is recorded once it is committed *and* the log's path still names the file that has it. Each outcome has an
event_id before the first try, so that it counts once even if it is also written to another file or to a spool.

Threads may share a recorder. It survives a fork: SQLite does not allow a connection in both processes, so it is closed
just before the fork, and parent and child each open a new one.
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
from model_outcomes.base.messages import Fault
from model_outcomes.log import corrections, file_identity, outcome, spool, store, validation
from model_outcomes.log.corrections import Correction, UnknownOutcome
from model_outcomes.log.outcome import COLUMNS, INSERTS, InvalidOutcome, Outcome

Answer = TypeVar("Answer")

CHECK_EVERY_S = 1.0  # after this time a recorder checks that its file is in place before it writes
POLL_EVERY_S = 0.001  # between tries, while another writer holds the log
TRIES = 3  # for an outcome whose file is replaced while it is committed
RESCUED_ROWS = 1_000  # that are read and spooled at a time


class Recorder:
    """A log to which outcomes are written. The first outcome opens it.

    `trouble` says why the last outcome went to a spool. While there is trouble, each outcome is tried in the log once,
    without a wait.
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
        self._first_correction_id: int | None = None
        self._check_at = 0.0
        self._lock = threading.RLock()
        _living.add(self)

    def insert(self, new: Outcome | Correction) -> None:
        """Commit an outcome or a correction to the log.

        Raises InvalidOutcome if the log's guards reject it, BusyError if others hold the log for too long,
        OutcomesError if the log cannot be written or its file is replaced again and again.
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
            except Exception as fault:  # an unexpected error must not lose the outcome
                raise self._note_trouble(OutcomesError(f"{self.path}: {type(fault).__name__}: {fault}")) from fault
            self.trouble = None

    def keep(self, new: Outcome | Correction) -> Path | None:
        """Commit an outcome or a correction to the log or, if that is impossible, to a spool, whose path is returned.
        A correction without an event_id cannot be spooled, because another file may have other numbers. A correction of
        an unknown outcome is spooled if outcomes wait there.

        Raises InvalidOutcome as `insert`, NotKeptError if no spool can be written.
        """
        with self._lock:  # for the spool too, because a fork would copy its file lock
            try:
                self.insert(new)
            except OutcomesError as fault:
                if isinstance(fault, UnknownOutcome) and spool.waiting_files(self.path):
                    return spool.append(self.path, new)
                if isinstance(fault, InvalidOutcome) or (isinstance(new, Correction) and new.event_id is None):
                    raise
                path = spool.append(self.path, new)
                if isinstance(fault, NotKeptError):  # for earlier outcomes, whose file is gone
                    raise
                return path
        return None

    def ask(self, question: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Return the answer of an existing log or published snapshot. Raises OutcomesError."""
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
        """Close the log. It is opened again when it is needed."""
        with self._lock:
            if self._connection is None:
                return
            if not store.is_in_place(self._connection, self.path):
                self._leave()
            self._disconnect()

    def _insert(self, new: Outcome | Correction) -> None:
        row = new.row()
        statement = corrections.INSERT if isinstance(new, Correction) else INSERTS[len(row)]
        for _ in range(TRIES):
            connection = self._connection
            if connection is None or time.monotonic() >= self._check_at:
                connection = self._open()
            try:
                cursor = self._insert_when_free(connection, statement, row)
            except sqlite3.IntegrityError as fault:
                if isinstance(new, Outcome) and new.timestamp > outcome.horizon(clock.utc_now()):
                    raise OutcomesError("the clock was set back after this outcome got its time") from fault
                if isinstance(new, Correction):
                    raise UnknownOutcome([Fault(str(fault))]) from None
                raise InvalidOutcome([Fault(str(fault))]) from None
            except UnicodeEncodeError:
                if isinstance(new, Correction):
                    raise  # checked before
                raise outcome.not_unicode(new) from None
            if isinstance(new, Outcome):
                self._first_id = self._first_id or cursor.lastrowid
            elif cursor.rowcount == 1:
                self._first_correction_id = self._first_correction_id or cursor.lastrowid
            if self._is_whole(connection):
                return
            self._leave()
        raise OutcomesError(f"{self.path} was replaced at each of {TRIES} tries to write to it")

    def _insert_when_free(
        self, connection: sqlite3.Connection, statement: str, row: Sequence[object]
    ) -> sqlite3.Cursor:
        """Insert a row and return the cursor.

        SQLite's own wait sleeps up to 100 ms and misses the gaps that a build or a load leaves for writers. This one
        finds a gap within two milliseconds.
        """
        deadline = None
        while True:
            try:
                return connection.execute(statement, row)
            except sqlite3.OperationalError as fault:
                if not file_identity.is_busy(fault):
                    raise
                now = time.monotonic()
                deadline = now + self._wait_s() if deadline is None else deadline
                if now >= deadline:
                    raise
                time.sleep(POLL_EVERY_S)

    def _wait_s(self) -> float:
        """Return the seconds to wait for other writers: 0 while there is trouble, because an earlier try waited."""
        return 0.0 if self.trouble else store.busy_timeout(store.RECORD_BUSY_TIMEOUT_S)

    def _open(self) -> store.Log:
        if self._connection is not None and not self._is_whole(self._connection):
            self._leave()
        if self._connection is None:
            if self._has_opened and not file_identity.exists(self.path):
                # If the file came back, it would replace a new file and its outcomes.
                raise OutcomesError(
                    file_identity.orphaned_wal(self.path)
                    or f"{self.path} was moved away or removed: put it back, or create a new one with `loader init`"
                )
            self._connection = store.create_or_open(
                self.path, wait_s=self._wait_s(), durability=self._durability, with_folder=False
            )
            self._connection.execute("pragma busy_timeout = 0")
            self._has_opened, self._size, self._first_id, self._first_correction_id = True, 0, None, None
            self._modified_ns = os.stat(self._name).st_mtime_ns  # noqa: PTH116
            self._is_whole(self._connection)
        return self._connection

    def _is_whole(self, connection: store.Log) -> bool:
        """Return True if the path still names the open file, and the file was not truncated."""
        self._check_at = time.monotonic() + CHECK_EVERY_S
        try:
            status = os.stat(self._name)  # noqa: PTH116 - Path.stat takes longer
        except OSError:
            return False
        if (status.st_dev, status.st_ino) != connection.identity or status.st_size < self._size:
            return False
        if status.st_mtime_ns != self._modified_ns:  # after a checkpoint, or because another program overwrote it
            store.probe(self.path)
        self._size, self._modified_ns = status.st_size, status.st_mtime_ns
        return True

    def _leave(self) -> None:
        """Close a file that was moved, removed, replaced or truncated, and keep the outcomes recorded in it.

        The WAL of a moved file is written into it, because it would stay behind under the old name. Outcomes that this
        recorder wrote to a removed file go to a spool.
        """
        connection = self._connection
        assert connection is not None
        is_moved = not store.is_in_place(connection, self.path)
        try:
            if not is_moved or not _has_a_name(connection):
                self._rescue(connection)
            if is_moved:
                # An empty WAL does not harm the next file at the old path.
                connection.execute("pragma wal_checkpoint(truncate)")
        finally:
            self._disconnect()

    def _rescue(self, connection: sqlite3.Connection) -> None:
        """Spool every outcome with an event_id, and every correction of one, since the first that this recorder
        wrote."""
        if self._first_id:
            self._rescue_outcomes(connection, self._first_id)
        if self._first_correction_id:
            self._rescue_corrections(connection, self._first_correction_id)

    def _rescue_outcomes(self, connection: sqlite3.Connection, first_id: int) -> None:
        query = f"select {', '.join(COLUMNS)} from model_outcomes where id >= ? and event_id is not null order by id"
        with suppress(sqlite3.Error):  # a damaged file does not give all rows
            rows = connection.execute(query, (first_id,))
            while batch := rows.fetchmany(RESCUED_ROWS):
                rescued = []
                for row in batch:
                    with suppress(InvalidOutcome):  # written by plain SQL, with a name of 600 characters for example
                        rescued.append(validation.from_row(row))
                spool.append(self.path, *rescued)

    def _rescue_corrections(self, connection: sqlite3.Connection, first_id: int) -> None:
        query = (
            "select verdict, log.event_id, reason, corrected_at, corrected_by from outcome_corrections"
            " inner join model_outcomes as log on log.id = outcome_id"
            " where correction_id >= ? and log.event_id is not null order by correction_id"
        )
        names = ("verdict", "event_id", "reason", "corrected_at", "corrected_by")
        with suppress(sqlite3.Error):
            rows = connection.execute(query, (first_id,))
            while batch := rows.fetchmany(RESCUED_ROWS):
                rescued = []
                for row in batch:
                    with suppress(InvalidOutcome):
                        rescued.append(corrections.parse_fields(dict(zip(names, row, strict=True))))
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
    """Return True if any path still names the file that a connection has open, or if that cannot be known."""
    with suppress(OSError):
        for name in os.listdir("/dev/fd"):  # noqa: PTH208 - the names need no Path
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
        with suppress(Exception):  # a fork must not fail
            recorder.close()
        _held.append(recorder)


def _after_fork() -> None:
    while _held:
        _held.pop()._lock.release()
    _forking.release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)
