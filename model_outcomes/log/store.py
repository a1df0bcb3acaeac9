"""The SQLite file of the log: open, create and upgrade it, and write to it in transactions.

`model_outcomes.log.file_identity` says what kind of file it is before it is opened.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import cast

from model_outcomes.base.connection import open_sqlite
from model_outcomes.base.errors import BusyError, NotBuiltError, OutcomesError
from model_outcomes.log import file_identity
from model_outcomes.log.file_identity import FILE_FAULTS, Identity
from model_outcomes.log.upgrades import UPGRADES, create_or_adopt

SCHEMA_VERSION = 5
MINIMUM_SQLITE = (3, 37, 0)
RECORD_BUSY_TIMEOUT_S = 2.0
BUSY_TIMEOUT_S = 30.0
LONGEST_BUSY_TIMEOUT_S = 86_400.0
WAL_POLL_S = 0.01
# With both, a commit survives a killed process. With `full` it also survives a power failure, because SQLite waits for
# the disk at each commit. With `normal` SQLite waits at checkpoints, and a power failure may take the last commits.
DURABILITIES = ("full", "normal")


def busy_timeout(default_s: float = BUSY_TIMEOUT_S) -> float:
    """Return the seconds to wait for another writer: `OUTCOMES_BUSY_TIMEOUT` if it is set, else `default_s`."""
    text = os.environ.get("OUTCOMES_BUSY_TIMEOUT")
    if not text:
        return default_s
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= LONGEST_BUSY_TIMEOUT_S:
        raise OutcomesError(f"OUTCOMES_BUSY_TIMEOUT must be seconds from 0 to 86400, not {text!r}")
    return seconds


def chosen_durability(option: str | None = None) -> str:
    """Return one of DURABILITIES: `option`, else `OUTCOMES_DURABILITY`, else full."""
    name = option or os.environ.get("OUTCOMES_DURABILITY") or DURABILITIES[0]
    if name not in DURABILITIES:
        source = "durability" if option else "OUTCOMES_DURABILITY"
        raise OutcomesError(f"{source} must be {' or '.join(DURABILITIES)}, not {name!r}")
    return name


class Log(sqlite3.Connection):
    """A connection with the device and inode of its file."""

    identity: tuple[int, int]


def create_or_open(
    path: Path, *, wait_s: float | None = None, durability: str | None = None, with_folder: bool = True
) -> Log:
    """Open the log to write to it. Create the file and, `with_folder`, its folder, or upgrade the file, if needed.

    `wait_s` is the wait for other writers, `durability` one of DURABILITIES. Raises OutcomesError if the file is
    missing or empty and its WAL still holds outcomes.
    """
    if with_folder:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise OutcomesError(f"cannot create the folder of {path.absolute()}: {fault.strerror}") from None
    elif not file_identity.exists(path.parent):
        raise OutcomesError(f"there is no folder {path.parent.absolute()}: `loader init` creates it")
    _create_if_missing(path)
    wait_s = busy_timeout() if wait_s is None else wait_s
    connection = _connect(path, wait_s, chosen_durability(durability))
    try:
        _upgrade(connection, path, wait_s)
    except BaseException:
        connection.close()
        raise
    return connection


def open_to_change(path: Path) -> sqlite3.Connection:
    """Open an existing log to write to it, as `create_or_open`."""
    file_identity.expect_file(path)
    return create_or_open(path, with_folder=False)


def open_existing(path: Path, *, is_current: bool = True) -> sqlite3.Connection:
    """Open a log or a published snapshot to read it. The file and its schema do not change.

    Raises OutcomesError if there is no such file, if it is another kind of file, or if the log has another schema
    version (unless `is_current` is False).
    """
    file_identity.expect_file(path)
    identity = identify(path)
    if identity.kind == "empty":
        raise OutcomesError(f"{path.absolute()} is empty: run `loader init`, or name another file with --db")
    if identity.kind != "snapshot":
        file_identity.refuse_unless_log(path, identity, SCHEMA_VERSION)
        if is_current and identity.version != SCHEMA_VERSION:
            raise OutcomesError(
                f"{path.absolute()} has schema version {identity.version}, this loader reads {SCHEMA_VERSION}:"
                " run `loader init`, which upgrades it"
            )
    with plain_faults(path):
        connection = file_identity.open_to_read(path, busy_timeout())
        connection.execute("pragma query_only = on")
    return connection


def open_snapshot(
    path: Path, *, check_same_thread: bool = True, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Open a published snapshot. Nobody writes to it: a new snapshot replaces the file."""
    with plain_faults(path):
        return open_sqlite(path, factory=factory, check_same_thread=check_same_thread)


def probe(path: Path) -> None:
    """Read the schema from the file. Raises OutcomesError if it is damaged.

    An older connection would answer from memory.
    """
    with plain_faults(path), closing(open_sqlite(path)) as connection:
        connection.execute("select count(*), sum(length(sql)) from sqlite_master").fetchone()


def identify(path: Path) -> Identity:
    """Return the identity of the SQLite file at `path`. Nothing changes in the file or beside it.

    Raises OutcomesError if SQLite cannot read it, BusyError if it stays locked.
    """
    with plain_faults(path):
        return file_identity.read_identity(path, SCHEMA_VERSION, busy_timeout())


def expect_log(path: Path) -> Identity:
    """Return the identity of the file at `path`. Raises OutcomesError unless it is a log of a known version, or can
    become one."""
    file_identity.expect_file(path)
    identity = identify(path)
    file_identity.refuse_unless_log(path, identity, SCHEMA_VERSION)
    return identity


def is_snapshot(path: Path) -> bool:
    """Return True if the file is a published snapshot, False also if it cannot be read."""
    try:
        return file_identity.read_identity(path, SCHEMA_VERSION, wait_s=0).kind == "snapshot"
    except (OutcomesError, *FILE_FAULTS):
        return False


def is_in_place(connection: sqlite3.Connection, path: Path) -> bool:
    """Return True if a path still names the file that a connection has open."""
    try:
        status = path.stat()
    except OSError:
        return False
    return isinstance(connection, Log) and (status.st_dev, status.st_ino) == connection.identity


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit all that the block writes, or nothing. Within another transaction it is a part of that one.

    The write lock is taken first, because a transaction that reads before it writes fails at once, without waiting, if
    another one wrote in between.
    """
    is_part = connection.in_transaction
    if is_part:
        yield
        return
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        if connection.in_transaction:
            connection.execute("rollback")
        raise


@contextmanager
def one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """Let all reads in the block see the log as of one moment. Temporary tables made in the block go with it."""
    connection.execute("begin")
    try:
        yield
    finally:
        connection.execute("rollback")


@contextmanager
def synchronous(connection: sqlite3.Connection, durability: str) -> Iterator[None]:
    """Commit with one of DURABILITIES in the block."""
    (before,) = connection.execute("pragma synchronous").fetchone()
    connection.execute(f"pragma synchronous = {durability}")
    try:
        yield
    finally:
        connection.execute(f"pragma synchronous = {before}")


@contextmanager
def plain_faults(path: Path) -> Iterator[None]:
    """Raise SQLite's errors about the file as OutcomesError: one line that says what to do."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except FILE_FAULTS as fault:
        raise plain_fault(path, fault) from fault


def plain_fault(path: Path, fault: sqlite3.Error | UnicodeDecodeError) -> OutcomesError:
    """Return SQLite's error about the file as OutcomesError: one line that says what to do."""
    if isinstance(fault, UnicodeDecodeError):  # a name in the schema, and so SQLite's message, is no valid text
        return file_identity.damaged(path, str(fault))
    message = " ".join(str(fault).split())
    if not isinstance(fault, sqlite3.OperationalError):
        return OutcomesError(f"{path.absolute()} is not a usable SQLite database: {message}")
    if file_identity.is_busy(fault):
        return BusyError(f"{path.absolute()} is locked by another writer: try again later")
    if message.startswith("no such table"):
        table = message.rpartition(": ")[2]
        if is_snapshot(path):
            return OutcomesError(
                f"{path.absolute()} is a published snapshot and has no {table}: name the log with --db"
            )
        return NotBuiltError(f"{path.absolute()} has no {table} yet: run `loader build`")
    if message.startswith("no such column"):
        return NotBuiltError(f"{path.absolute()} was built by an older version: run `loader build`")
    return OutcomesError(f"{path.absolute()}: {message}")


def _create_if_missing(path: Path) -> None:
    """Create an empty file, which SQLite then only opens, so that a file that is moved away is not created again."""
    status = file_identity.status(path)
    if status is not None and status.st_size > 0:
        return
    real = Path(os.path.realpath(path))
    with _only_creator(real.parent):
        fault = file_identity.orphaned_wal(path)
        if fault:
            raise OutcomesError(fault)
        if file_identity.exists(real):
            return
        try:
            # These belong to a file that was moved away. A process that still has that file open uses them, and must
            # not share them with the new file. We create the file, because SQLite would let all users read it; the
            # WAL gets the same permissions.
            for suffix in ("-wal", "-shm"):
                Path(f"{real}{suffix}").unlink(missing_ok=True)
            os.close(os.open(real, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            return  # another process was faster
        except OSError as fault_:
            raise OutcomesError(f"cannot create {path.absolute()}: {fault_.strerror}") from None


@contextmanager
def _only_creator(folder: Path) -> Iterator[None]:
    """Lock a folder, if the file system can."""
    descriptor = None
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _connect(path: Path, wait_s: float, durability: str) -> Log:
    if sqlite3.sqlite_version_info < MINIMUM_SQLITE:
        raise OutcomesError(f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or later is needed")
    file_identity.refuse_odd_file(path)
    file_identity.refuse_others(path, SCHEMA_VERSION)
    status = file_identity.status(path)
    if status is None:
        raise OutcomesError(f"{path.absolute()} was moved away while it was opened: try again")
    with plain_faults(path):
        # A caller that shares a connection between threads locks it (see recorder).
        connection = cast(Log, open_sqlite(path, "mode=rw", wait_s=wait_s, check_same_thread=False, factory=Log))
        try:
            connection.identity = status.st_dev, status.st_ino
            if not is_in_place(connection, path):
                raise OutcomesError(f"{path.absolute()} was replaced while it was opened: try again")
            connection.execute("pragma foreign_keys = on")
            connection.execute(f"pragma synchronous = {durability}")
            # 16 MB, four times SQLite's default, so that pages that change often reach the file a quarter as often.
            connection.execute("pragma wal_autocheckpoint = 4000")
        except BaseException:
            connection.close()
            raise
    return connection


def _upgrade(connection: sqlite3.Connection, path: Path, wait_s: float) -> None:
    with plain_faults(path):
        identity = file_identity.identity_of(connection, SCHEMA_VERSION)
        file_identity.refuse_unless_log(path, identity, SCHEMA_VERSION)
        _write_ahead(connection, wait_s)
        if identity.version == SCHEMA_VERSION:
            return
        # A rename must not change the views that name the table, nor check foreign keys to it.
        connection.execute("pragma foreign_keys = off")
        connection.execute("pragma legacy_alter_table = on")
        with transaction(connection):
            # Read the version again under the write lock, because another process may have been first.
            version = file_identity.schema_version(connection)
            if version == 0:
                create_or_adopt(connection)
            else:
                for older in range(version, SCHEMA_VERSION):
                    UPGRADES[older](connection)
            connection.execute(f"pragma user_version = {SCHEMA_VERSION}")
        connection.execute("pragma legacy_alter_table = off")
        connection.execute("pragma foreign_keys = on")


def _write_ahead(connection: sqlite3.Connection, wait_s: float) -> None:
    """Switch the file to WAL. SQLite ignores its busy timeout there, so one of two processes that create a file would
    fail."""
    deadline = time.monotonic() + wait_s
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as fault:
            if "locked" not in str(fault) or time.monotonic() > deadline:
                raise
            time.sleep(WAL_POLL_S)
