"""The SQLite file: opening, creating and upgrading it, and the one way to write to it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path

from loader.errors import BusyError, NotBuiltError, OutcomesError
from loader.upgrades import UPGRADES, create_or_adopt

SCHEMA_VERSION = 4
MINIMUM_SQLITE = (3, 37, 0)
RECORD_BUSY_TIMEOUT = 2.0
BUSY_TIMEOUT = 30.0
# What a commit survives. Both: a killed process. `full`: a power failure too, as SQLite waits for the disk at
# each commit. `normal`: it waits at checkpoints, and a power failure may take the last commits, never half of one.
DURABILITIES = ("full", "normal")


def default_path() -> Path:
    """The database that is meant where none is named: `OUTCOMES_DB`, else data/outcomes.db."""
    return Path(os.environ.get("OUTCOMES_DB") or "data/outcomes.db")


def absolute(path: str | Path) -> Path:
    """A path as it is shown and remembered: absolute, without dots, links left as they are."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute() keeps `..`


def source_name(name: str) -> str:
    """How a file that was read is remembered: by its absolute path, `-` as standard input.

    Raises OutcomesError where that is not UTF-8, and so no text that the log can keep.
    """
    path = "standard input" if name == "-" else str(absolute(name))
    try:
        path.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        raise OutcomesError(f"{shown}: the name is not UTF-8 and cannot be remembered, rename the file") from None
    return path


def busy_timeout(default: float = BUSY_TIMEOUT) -> float:
    """Seconds to wait for another writer: `OUTCOMES_BUSY_TIMEOUT` where it is set, else `default`."""
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
    """One of DURABILITIES: `given`, else `OUTCOMES_DURABILITY`, else full."""
    name = given or os.environ.get("OUTCOMES_DURABILITY") or DURABILITIES[0]
    if name not in DURABILITIES:
        source = "durability" if given else "OUTCOMES_DURABILITY"
        raise OutcomesError(f"{source} must be {' or '.join(DURABILITIES)}, not {name!r}")
    return name


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


def to_text(moment: datetime) -> str:
    """`moment` as the log writes times: UTC, microseconds, a Z; such texts sort as the times do."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Log(sqlite3.Connection):
    """A connection that knows which file it has open: its device and inode."""

    identity: tuple[int, int]


def exists(path: Path) -> bool:
    """Return whether a path names anything; raises OutcomesError if nobody can tell."""
    return _status(path) is not None


def is_in_place(connection: sqlite3.Connection, path: Path) -> bool:
    """Return whether a path still names the file that a connection has open."""
    try:
        status = path.stat()
    except OSError:
        return False
    return isinstance(connection, Log) and (status.st_dev, status.st_ino) == connection.identity


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
    elif _status(path.parent) is None:
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


def open_existing(path: Path, *, timeout: float | None = None) -> Log:
    """Open a log that must be there already, for commands that only read."""
    if _status(path) is None:
        raise OutcomesError(
            orphaned_wal(path) or f"no database at {path.absolute()}: run `loader init`, or name one with --db"
        )
    return create_or_open(path, timeout=timeout)


def orphaned_wal(path: Path) -> str | None:
    """Return what to do about a WAL whose database is missing or empty, None if there is no such WAL.

    The WAL holds the last outcomes of the file that was there, and SQLite deletes it with the next file made there.
    """
    real = Path(os.path.realpath(path))
    status, wal = _status(real), _status(Path(f"{real}-wal"))
    if wal is None or wal.st_size == 0 or (status is not None and status.st_size > 0):
        return None
    state = "is missing" if status is None else "is empty"
    return (
        f"{path.absolute()} {state}, but its WAL holds outcomes: put the file back as {real}"
        f" (docs/recovery.md), or, if it is lost, move {real}-wal away"
    )


def open_snapshot(path: Path, *, check_same_thread: bool = True) -> sqlite3.Connection:
    """Open a published snapshot, which nobody writes to: another one takes its place."""
    with plain_faults(path):
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=check_same_thread
        )


def probe(path: Path) -> None:
    """Read the schema as a process that comes anew would; raises OutcomesError if it is damaged.

    A connection that has been open for long answers from memory.
    """
    with plain_faults(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("select count(*), sum(length(sql)) from sqlite_master").fetchone()


@contextmanager
def full_durability(connection: sqlite3.Connection) -> Iterator[None]:
    """Commit to the disk itself within the block, whatever the connection does otherwise."""
    (before,) = connection.execute("pragma synchronous").fetchone()
    connection.execute("pragma synchronous = full")
    try:
        yield
    finally:
        connection.execute(f"pragma synchronous = {before}")


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing. The write lock is taken first: a transaction that reads before it writes
    fails at once when another one wrote in between, however long its timeout. Within another
    transaction it is a part of that one."""
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
def plain_faults(path: Path) -> Iterator[None]:
    """SQLite's faults about the file, said in a line that tells what to do."""
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.DatabaseError as fault:
        raise plain_fault(path, fault) from fault
    except UnicodeDecodeError as fault:
        raise plain_fault(path, fault) from fault


def is_busy(fault: sqlite3.Error) -> bool:
    """Whether SQLite says that somebody else holds the file."""
    return "locked" in str(fault) or "busy" in str(fault)


def plain_fault(path: Path, fault: sqlite3.Error | UnicodeDecodeError) -> OutcomesError:
    if isinstance(fault, UnicodeDecodeError):  # of SQLite's own message, which quotes the damaged text
        return OutcomesError(f"{path.absolute()} is damaged (it holds bytes that are no text): see docs/recovery.md")
    said = str(fault)
    if not isinstance(fault, sqlite3.OperationalError):
        return OutcomesError(f"{path.absolute()} is not a usable SQLite database: {said}")
    if is_busy(fault):
        return BusyError(f"{path.absolute()} is locked by another writer: try again later")
    if said.startswith("no such table"):
        return NotBuiltError(f"{path.absolute()} has no {said.rpartition(': ')[2]} yet: run `loader build`")
    return OutcomesError(f"{path.absolute()}: {said}")


def _status(path: Path) -> os.stat_result | None:
    """Return the file's status, None if there is no such file; raises OutcomesError if nobody can tell."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as fault:
        raise OutcomesError(f"{path.absolute()}: {fault.strerror}") from None
    except ValueError as fault:  # a NUL in the name
        raise OutcomesError(f"{str(path)!r} is no path: {fault}") from None


def _create_if_missing(path: Path) -> None:
    """Create an empty file, for SQLite only to open: a file that is moved away meanwhile is not made anew."""
    status = _status(path)
    if status is not None and status.st_size > 0:
        return
    real = Path(os.path.realpath(path))
    with _only_creator(real.parent):
        fault = orphaned_wal(path)
        if fault:
            raise OutcomesError(fault)
        if _status(real) is not None:
            return
        try:
            # Left by a file that was moved away. A process that still has that file open uses them, and
            # must not share them with the new one.
            for suffix in ("-wal", "-shm"):
                Path(f"{real}{suffix}").unlink(missing_ok=True)
            os.close(os.open(real, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o644))
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
    status = _status(path)
    if status is None:
        raise OutcomesError(f"{path.absolute()} was moved away while it was opened: try again")
    if stat.S_ISDIR(status.st_mode):
        raise OutcomesError(f"{path.absolute()} is a folder, not a database file")
    if status.st_nlink > 1:
        raise OutcomesError(
            f"{path.absolute()} has {status.st_nlink} names (hard links), and SQLite would keep a WAL for each:"
            " remove the other names, or make them symbolic links"
        )
    with plain_faults(path):
        # Whoever shares a connection between threads guards it (see recorder).
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


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("pragma user_version").fetchone()[0]
    return version


def _bring_up_to_date(connection: sqlite3.Connection, path: Path, wait: float) -> None:
    with plain_faults(path):
        version = _version(connection)
        if version > SCHEMA_VERSION:
            raise OutcomesError(
                f"{path.absolute()} has schema version {version}, this loader knows {SCHEMA_VERSION}: "
                "upgrade the loader"
            )
        _write_ahead(connection, wait)
        if version == SCHEMA_VERSION:
            return
        # A rename must not rewrite the views that name the table, nor heed foreign keys to it.
        connection.execute("pragma foreign_keys = off")
        connection.execute("pragma legacy_alter_table = on")
        with transaction(connection):
            # Another process may have been first: look again, now under the write lock.
            version = _version(connection)
            if version == 0:
                create_or_adopt(connection)
            else:
                for older in range(version, SCHEMA_VERSION):
                    UPGRADES[older](connection)
            connection.execute(f"pragma user_version = {SCHEMA_VERSION}")
        connection.execute("pragma legacy_alter_table = off")
        connection.execute("pragma foreign_keys = on")
