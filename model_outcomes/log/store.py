"""The SQLite file: opening, creating and upgrading it, and the one way to write to it.

What kind of file it is, `model_outcomes.log.file_identity` tells before it is opened.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from pathlib import Path

from model_outcomes.base.errors import BusyError, NotBuiltError, OutcomesError
from model_outcomes.log import file_identity
from model_outcomes.log.file_identity import FILE_FAULTS, Identity
from model_outcomes.log.upgrades import UPGRADES, create_or_adopt

SCHEMA_VERSION = 4
MINIMUM_SQLITE = (3, 37, 0)
RECORD_BUSY_TIMEOUT = 2.0
BUSY_TIMEOUT = 30.0
# What a commit survives. Both: a killed process. `full`: a power failure too, as SQLite waits for the disk at
# each commit. `normal`: it waits at checkpoints, and a power failure may take the last commits, never half of one.
DURABILITIES = ("full", "normal")


def busy_timeout(default: float = BUSY_TIMEOUT) -> float:
    """Return the seconds to wait for another writer: `OUTCOMES_BUSY_TIMEOUT` where it is set, else `default`."""
    text = os.environ.get("OUTCOMES_BUSY_TIMEOUT")
    if not text:
        return default
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds <= 86_400:
        raise OutcomesError(f"OUTCOMES_BUSY_TIMEOUT must be seconds from 0 to 86400, not {text!r}")
    return seconds


def chosen_durability(given: str | None = None) -> str:
    """Return one of DURABILITIES: `given`, else `OUTCOMES_DURABILITY`, else full."""
    name = given or os.environ.get("OUTCOMES_DURABILITY") or DURABILITIES[0]
    if name not in DURABILITIES:
        source = "durability" if given else "OUTCOMES_DURABILITY"
        raise OutcomesError(f"{source} must be {' or '.join(DURABILITIES)}, not {name!r}")
    return name


class Log(sqlite3.Connection):
    """A connection that knows which file it has open: its device and inode."""

    identity: tuple[int, int]


def create_or_open(
    path: Path, *, timeout: float | None = None, durability: str | None = None, with_folder: bool = True
) -> Log:
    """Open the log for writing; create the file and, `with_folder`, its folder, or upgrade it, if
    needed. `timeout` in seconds, `durability` one of DURABILITIES.

    Raises OutcomesError if the file is missing or empty and its WAL still holds outcomes.
    """
    if with_folder:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise OutcomesError(f"cannot make the folder of {path.absolute()}: {fault.strerror}") from None
    elif not file_identity.exists(path.parent):
        raise OutcomesError(f"there is no folder {path.parent.absolute()}: `loader init` makes it")
    _create_if_missing(path)
    wait = busy_timeout() if timeout is None else timeout
    connection = _connect(path, wait, chosen_durability(durability))
    try:
        _bring_up_to_date(connection, path, wait)
    except BaseException:
        connection.close()
        raise
    return connection


def open_to_change(path: Path) -> sqlite3.Connection:
    """Open a log to write to it, as `create_or_open`; the file must exist."""
    file_identity.expect_file(path)
    return create_or_open(path, with_folder=False)


def open_existing(path: Path, *, is_current: bool = True) -> sqlite3.Connection:
    """Open a log or a published snapshot to read it. Nothing in the file changes, its schema neither.

    Raises OutcomesError if there is no such file, if it is something else, or if it is a log of another schema
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
    """Open a published snapshot, which nobody writes to: another one takes its place."""
    with plain_faults(path):
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, factory=factory,
            check_same_thread=check_same_thread,
        )  # fmt: skip


def probe(path: Path) -> None:
    """Read the schema as a process that comes anew would; raises OutcomesError if it is damaged.

    A connection that has been open for long answers from memory.
    """
    with plain_faults(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("select count(*), sum(length(sql)) from sqlite_master").fetchone()


def identify(path: Path, timeout: float | None = None) -> Identity:
    """Return what the SQLite file at `path` is. Nothing changes in the file or beside it.

    Raises OutcomesError if it cannot be read as SQLite, BusyError if it is locked for longer than `timeout` seconds.
    """
    wait = busy_timeout() if timeout is None else timeout
    with plain_faults(path):
        return file_identity.read_identity(path, SCHEMA_VERSION, wait)


def expect_log(path: Path) -> Identity:
    """Return what the file at `path` is. Raises OutcomesError unless it is a log that this loader knows, or can become
    one."""
    file_identity.expect_file(path)
    identity = identify(path)
    file_identity.refuse_unless_log(path, identity, SCHEMA_VERSION)
    return identity


def is_snapshot(path: Path) -> bool:
    """Return whether the file is a published snapshot; False if it cannot be read."""
    try:
        return file_identity.read_identity(path, SCHEMA_VERSION, wait=0).kind == "snapshot"
    except (OutcomesError, *FILE_FAULTS):
        return False


def is_in_place(connection: sqlite3.Connection, path: Path) -> bool:
    """Return whether a path still names the file that a connection has open."""
    try:
        status = path.stat()
    except OSError:
        return False
    return isinstance(connection, Log) and (status.st_dev, status.st_ino) == connection.identity


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit all that the block writes, or nothing. Within another transaction it is a part of that one.

    The write lock is taken first: a transaction that reads before it writes fails at once when another one wrote in
    between, however long its timeout.
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
    """Commit with one of DURABILITIES within the block."""
    (before,) = connection.execute("pragma synchronous").fetchone()
    connection.execute(f"pragma synchronous = {durability}")
    try:
        yield
    finally:
        connection.execute(f"pragma synchronous = {before}")


def full_durability(connection: sqlite3.Connection) -> AbstractContextManager[None]:
    """Make each commit within the block survive a power failure."""
    return synchronous(connection, "full")


@contextmanager
def plain_faults(path: Path) -> Iterator[None]:
    """Raise SQLite's faults about the file as OutcomesError: a line that tells what to do."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except FILE_FAULTS as fault:
        raise plain_fault(path, fault) from fault


def plain_fault(path: Path, fault: sqlite3.Error | UnicodeDecodeError) -> OutcomesError:
    """Return what to raise in place of a fault of SQLite's about the file: a line that tells what to do."""
    if isinstance(fault, UnicodeDecodeError):  # a name in the schema is no text any more, nor is SQLite's message
        return file_identity.damaged(path, str(fault))
    said = " ".join(str(fault).split())
    if not isinstance(fault, sqlite3.OperationalError):
        return OutcomesError(f"{path.absolute()} is not a usable SQLite database: {said}")
    if file_identity.is_busy(fault):
        return BusyError(f"{path.absolute()} is locked by another writer: try again later")
    if said.startswith("no such table"):
        table = said.rpartition(": ")[2]
        if is_snapshot(path):
            return OutcomesError(
                f"{path.absolute()} is a published snapshot and has no {table}: name the log with --db"
            )
        return NotBuiltError(f"{path.absolute()} has no {table} yet: run `loader build`")
    if said.startswith("no such column"):
        return NotBuiltError(f"{path.absolute()} was built by an older version: run `loader build`")
    return OutcomesError(f"{path.absolute()}: {said}")


def _create_if_missing(path: Path) -> None:
    """Create an empty file, for SQLite only to open: a file that is moved away meanwhile is not made anew."""
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
            # Left by a file that was moved away. A process that still has that file open uses them, and
            # must not share them with the new one. SQLite would let everybody read a file that it makes, and makes
            # the WAL with the same permissions.
            for suffix in ("-wal", "-shm"):
                Path(f"{real}{suffix}").unlink(missing_ok=True)
            os.close(os.open(real, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            return  # another program was faster
        except OSError as fault_:
            raise OutcomesError(f"cannot create {path.absolute()}: {fault_.strerror}") from None


@contextmanager
def _only_creator(folder: Path) -> Iterator[None]:
    """Lock a folder, on file systems that can."""
    descriptor = None
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _connect(path: Path, wait: float, durability: str) -> Log:
    if sqlite3.sqlite_version_info < MINIMUM_SQLITE:
        raise OutcomesError(f"SQLite {sqlite3.sqlite_version} is too old: 3.37 or later is needed")
    file_identity.refuse_odd_file(path)
    file_identity.refuse_others(path, SCHEMA_VERSION)
    status = file_identity.status(path)
    if status is None:
        raise OutcomesError(f"{path.absolute()} was moved away while it was opened: try again")
    with plain_faults(path):
        # A caller that shares a connection between threads guards it (see recorder).
        connection: Log = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=wait, isolation_level=None,
            check_same_thread=False, factory=Log,
        )  # fmt: skip
        try:
            connection.identity = status.st_dev, status.st_ino
            if not is_in_place(connection, path):
                raise OutcomesError(f"{path.absolute()} was replaced while it was opened: try again")
            connection.execute("pragma foreign_keys = on")
            connection.execute(f"pragma synchronous = {durability}")
            # Four times SQLite's own, 16 MB: pages that change again and again reach the file a quarter as often.
            connection.execute("pragma wal_autocheckpoint = 4000")
        except BaseException:
            connection.close()
            raise
    return connection


def _bring_up_to_date(connection: sqlite3.Connection, path: Path, wait: float) -> None:
    with plain_faults(path):
        identity = file_identity.identity_of(connection, SCHEMA_VERSION)
        file_identity.refuse_unless_log(path, identity, SCHEMA_VERSION)
        _write_ahead(connection, wait)
        if identity.version == SCHEMA_VERSION:
            return
        # A rename must not rewrite the views that name the table, nor heed foreign keys to it.
        connection.execute("pragma foreign_keys = off")
        connection.execute("pragma legacy_alter_table = on")
        with transaction(connection):
            # Another process may have been first: look again, now under the write lock.
            version = file_identity.schema_version(connection)
            if version == 0:
                create_or_adopt(connection)
            else:
                for older in range(version, SCHEMA_VERSION):
                    UPGRADES[older](connection)
            connection.execute(f"pragma user_version = {SCHEMA_VERSION}")
        connection.execute("pragma legacy_alter_table = off")
        connection.execute("pragma foreign_keys = on")


def _write_ahead(connection: sqlite3.Connection, wait: float) -> None:
    """Switch the file to WAL. SQLite does not heed its busy timeout there: two processes that
    create one file would have one of them fail."""
    deadline = time.monotonic() + wait
    while True:
        try:
            connection.execute("pragma journal_mode = wal")
            return
        except sqlite3.OperationalError as fault:
            if "locked" not in str(fault) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
