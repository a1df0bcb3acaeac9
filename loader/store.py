"""The SQLite file: opening, creating and upgrading it, and the one way to write to it."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal, NamedTuple

from loader import places
from loader.errors import BusyError, NotBuiltError, OutcomesError
from loader.upgrades import ORIGINAL_COLUMNS, UPGRADES, create_or_adopt

SCHEMA_VERSION = 4
MINIMUM_SQLITE = (3, 37, 0)
ORCHESTRATOR_TABLE = "llm_task_outcomes"  # a log has it too, as a mirror; an unversioned file only if it is theirs
RECORD_BUSY_TIMEOUT = 2.0
BUSY_TIMEOUT = 30.0
# What a commit survives. Both: a killed process. `full`: a power failure too, as SQLite waits for the disk at
# each commit. `normal`: it waits at checkpoints, and a power failure may take the last commits, never half of one.
DURABILITIES = ("full", "normal")


def default_path() -> Path:
    """The database that is meant where none is named: `OUTCOMES_DB`, else data/outcomes.db."""
    return Path(os.environ.get("OUTCOMES_DB") or places.DATABASE)


def absolute(path: str | Path) -> Path:
    """A path as it is shown and remembered: absolute, without dots, links left as they are."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute() keeps `..`


def source_name(name: str | Path) -> str:
    """Return the name under which the log remembers a file: its absolute path, `-` as standard input.

    Raises OutcomesError if the path is not UTF-8: the log can keep text only.
    """
    path = "standard input" if name == "-" else str(absolute(name))
    if shown_path(path) != path:
        raise OutcomesError(f"{shown_path(path)}: the name is not UTF-8 and cannot be remembered, rename it")
    return path


def shown_path(path: str | Path) -> str:
    """Return a path as text: bytes that are not UTF-8 are shown as \\xff."""
    return os.fsencode(path).decode(errors="backslashreplace")


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


def open_to_change(path: Path) -> sqlite3.Connection:
    """Open a log to write to it, as `create_or_open`; the file must exist."""
    _expect_file(path)
    return create_or_open(path, with_folder=False)


def open_existing(path: Path, *, is_current: bool = True) -> sqlite3.Connection:
    """Open a log or a published snapshot to read it. Nothing in the file changes, its schema neither.

    Raises OutcomesError if there is no such file, if it is something else, or if it is a log of another schema
    version (unless `is_current` is False).
    """
    _expect_file(path)
    identity = identify(path)
    if identity.kind == "empty":
        raise OutcomesError(f"{path.absolute()} is empty: run `loader init`, or name another file with --db")
    if identity.kind != "snapshot":
        _expect_log(path, identity)
        if is_current and identity.version != SCHEMA_VERSION:
            raise OutcomesError(
                f"{path.absolute()} has schema version {identity.version}, this loader reads {SCHEMA_VERSION}:"
                " run `loader init`, which upgrades it"
            )
    with plain_faults(path):
        connection = _open_to_read(path)
        connection.execute("pragma query_only = on")
    return connection


class Identity(NamedTuple):
    """What an SQLite file is: its kind, its schema version, the names of its tables and views.

    "log" is ours. "original" has an unversioned `model_outcomes` of an earlier tool, which `loader init` takes over.
    "snapshot" is what a run publishes. "empty" has no table yet. "other" is another program's.
    """

    kind: Literal["log", "original", "snapshot", "empty", "other"]
    version: int
    tables: tuple[str, ...]


def identify(path: Path, timeout: float | None = None) -> Identity:
    """Return what the SQLite file at `path` is. Nothing changes in the file or beside it.

    Raises OutcomesError if it cannot be read as SQLite, BusyError if it is locked for longer than `timeout` seconds.
    """
    if fault := orphaned_wal(path):  # SQLite deletes such a WAL even to read the file
        raise OutcomesError(fault)
    resolved = Path(os.path.realpath(path))
    wait = busy_timeout() if timeout is None else timeout
    with plain_faults(path):
        # A file in WAL mode that has no WAL is whole, and nobody has it open. As `immutable`, SQLite makes no WAL
        # to read it.
        is_whole = _is_in_wal_mode(resolved) and not os.path.exists(f"{resolved}-wal")  # noqa: PTH110 - quicker
        with closing(_read_only(resolved, "immutable=1" if is_whole else "mode=ro", wait)) as connection:
            return _identity(connection)


def _identity(connection: sqlite3.Connection) -> Identity:
    version = _version(connection)
    rows = connection.execute(
        "select name from sqlite_master where type in ('table', 'view') and substr(name, 1, 7) <> 'sqlite_' order by 1"
    )
    tables = tuple(name for (name,) in rows)
    if "snapshot_run" in tables:
        return Identity("snapshot", version, tables)
    if version == 0 and not tables:
        return Identity("empty", version, tables)
    if "model_outcomes" in tables:
        columns = {name for (name,) in connection.execute("select name from pragma_table_info('model_outcomes')")}
        if version == 0 and columns.issuperset(ORIGINAL_COLUMNS) and ORCHESTRATOR_TABLE not in tables:
            return Identity("original", version, tables)
        if "load_history" in tables if 0 < version <= SCHEMA_VERSION else version > 0:
            return Identity("log", version, tables)
    return Identity("other", version, tables)


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


def open_snapshot(
    path: Path, *, check_same_thread: bool = True, factory: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Open a published snapshot, which nobody writes to: another one takes its place."""
    with plain_faults(path):
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, factory=factory,
            check_same_thread=check_same_thread,
        )  # fmt: skip


def full_durability(connection: sqlite3.Connection) -> AbstractContextManager[None]:
    """Within the block, a commit survives a power failure."""
    return synchronous(connection, "full")


def probe(path: Path) -> None:
    """Read the schema as a process that comes anew would; raises OutcomesError if it is damaged.

    A connection that has been open for long answers from memory.
    """
    with plain_faults(path), closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
        connection.execute("select count(*), sum(length(sql)) from sqlite_master").fetchone()


@contextmanager
def synchronous(connection: sqlite3.Connection, durability: str) -> Iterator[None]:
    """Commit with one of DURABILITIES within the block."""
    (before,) = connection.execute("pragma synchronous").fetchone()
    connection.execute(f"pragma synchronous = {durability}")
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
    except (sqlite3.DatabaseError, UnicodeDecodeError) as fault:
        raise plain_fault(path, fault) from fault


@contextmanager
def naming_damage(path: Path, connection: sqlite3.Connection) -> Iterator[None]:
    """Raise OutcomesError if the block fails on what a damaged file holds. Other faults are ours, and stay as they
    are."""
    try:
        yield
    except (OutcomesError, sqlite3.Error, OSError):
        raise
    except Exception as fault:
        damage = find_damage(connection)
        if damage is None and not isinstance(fault, UnicodeDecodeError):
            raise
        raise damaged(path, damage or "it holds text that is not UTF-8") from fault


def find_damage(connection: sqlite3.Connection) -> str | None:
    """Return the first thing that SQLite finds wrong with a file, in one line; None if it finds nothing."""
    try:
        (answer,) = connection.execute("pragma quick_check(1)").fetchone()
    except (sqlite3.DatabaseError, UnicodeDecodeError) as fault:
        answer = str(fault)
    return None if answer == "ok" else " ".join(answer.split())


def damaged(path: Path, damage: str) -> OutcomesError:
    """Return the fault of a file that SQLite can open and not read."""
    return OutcomesError(f"{path.absolute()} is damaged: {damage}; see `loader doctor` and docs/recovery.md")


def expect_log(path: Path) -> Identity:
    """Return what the file at `path` is. Raises OutcomesError unless it is a log that this loader knows, or can become
    one."""
    _expect_file(path)
    identity = identify(path)
    _expect_log(path, identity)
    return identity


def is_busy(fault: sqlite3.Error) -> bool:
    """Whether SQLite says that somebody else holds the file."""
    return "locked" in str(fault) or "busy" in str(fault)


def plain_fault(path: Path, fault: sqlite3.Error | UnicodeDecodeError) -> OutcomesError:
    if isinstance(fault, UnicodeDecodeError):  # a name in the schema is no text any more, nor is SQLite's message
        return damaged(path, str(fault))
    said = " ".join(str(fault).split())
    if not isinstance(fault, sqlite3.OperationalError):
        return OutcomesError(f"{path.absolute()} is not a usable SQLite database: {said}")
    if is_busy(fault):
        return BusyError(f"{path.absolute()} is locked by another writer: try again later")
    if said.startswith("no such table"):
        table = said.rpartition(": ")[2]
        if _is_snapshot(path):
            return OutcomesError(
                f"{path.absolute()} is a published snapshot and has no {table}: name the log with --db"
            )
        return NotBuiltError(f"{path.absolute()} has no {table} yet: run `loader build`")
    if said.startswith("no such column"):
        return NotBuiltError(f"{path.absolute()} was built by an older version: run `loader build`")
    return OutcomesError(f"{path.absolute()}: {said}")


def _is_snapshot(path: Path) -> bool:
    try:
        return identify(path, timeout=0).kind == "snapshot"
    except OutcomesError:
        return False


def _expect_file(path: Path) -> None:
    if _status(path) is None:
        raise OutcomesError(
            orphaned_wal(path) or f"no database at {path.absolute()}: run `loader init`, or name one with --db"
        )
    _refuse_odd_file(path)


def _refuse_odd_file(path: Path) -> None:
    """Raise OutcomesError for a folder, a device or a pipe, and for a file with several names.

    SQLite keeps a WAL beside the name that a file was opened by: under two names, neither sees what the other wrote.
    """
    status = _status(path)
    if status is None:
        return
    if stat.S_ISDIR(status.st_mode):
        raise OutcomesError(f"{path.absolute()} is a folder, not a database file")
    if not stat.S_ISREG(status.st_mode):
        raise OutcomesError(f"{path.absolute()} is a device or a pipe, not a database file")
    if status.st_nlink > 1:
        raise OutcomesError(
            f"{path.absolute()} is one file under {status.st_nlink} names (hard links), which damages an SQLite"
            " database: remove the others, or make symbolic links of them"
        )


def _expect_log(path: Path, identity: Identity) -> None:
    """Raise OutcomesError unless the file is a log that this loader knows, or can become one."""
    where, (kind, version, tables) = path.absolute(), identity
    if kind == "snapshot":
        raise OutcomesError(f"{where} is a published snapshot, which is only read: name the log with --db")
    if kind == "other" and version < 0:
        raise OutcomesError(
            f"{where} has schema version {version}, which no loader writes: name another file with --db"
        )
    if kind == "other" and ORCHESTRATOR_TABLE in tables:
        raise OutcomesError(
            f"{where} is the orchestrator's own database (it has {ORCHESTRATOR_TABLE}) and stays as it is: "
            "name another file with --db, and bring this one beside it with `loader sync-uok`"
        )
    if kind == "other":
        names = f"has {', '.join(tables[:3])}" if tables else f"has version {version}"
        raise OutcomesError(f"{where} is another program's database (it {names}): name another file with --db")
    if version > SCHEMA_VERSION:
        raise OutcomesError(
            f"{where} has schema version {version}, this loader knows {SCHEMA_VERSION}: upgrade the loader"
        )


def _refuse_others(path: Path) -> None:
    """Raise OutcomesError for another program's file before it is opened to be written: SQLite would bring its WAL
    into it. What cannot be read is left to the connection that follows, which says why."""
    try:
        if path.stat().st_size == 0:
            return
        identity = identify(path, timeout=0)
    except (OSError, OutcomesError):
        return
    _expect_log(path, identity)


def _is_in_wal_mode(path: Path) -> bool:
    """Return whether the header says so (https://sqlite.org/fileformat.html, offset 18)."""
    try:
        with path.open("rb") as file:
            return file.read(20)[18:] == b"\2\2"
    except OSError:
        return False


def _read_only(path: Path, mode: str, wait: float) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.as_uri()}?{mode}", uri=True, timeout=wait, isolation_level=None, check_same_thread=False
    )


def _open_to_read(path: Path) -> sqlite3.Connection:
    """Open a file in WAL mode so that SQLite may make the WAL's index and clear it away again; in a folder where it
    cannot, read a file without a WAL as it is. Other files need nothing beside them."""
    resolved = Path(os.path.realpath(path))
    connection = _read_only(resolved, "mode=rw" if _is_in_wal_mode(resolved) else "mode=ro", busy_timeout())
    try:
        connection.execute("select 1 from sqlite_master").fetchone()
        return connection
    except sqlite3.OperationalError as fault:
        connection.close()
        if is_busy(fault):
            raise
        wal = Path(f"{resolved}-wal")
        if wal.exists() and wal.stat().st_size:
            raise OutcomesError(
                f"{path.absolute()} cannot be read in its folder: SQLite must be able to make {resolved.name}-shm there"
            ) from None
    except BaseException:
        connection.close()
        raise
    return _read_only(resolved, "immutable=1", 0.0)


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
    _refuse_odd_file(path)
    _refuse_others(path)
    status = _status(path)
    if status is None:
        raise OutcomesError(f"{path.absolute()} was moved away while it was opened: try again")
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
        identity = _identity(connection)
        _expect_log(path, identity)
        _write_ahead(connection, wait)
        if identity.version == SCHEMA_VERSION:
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
