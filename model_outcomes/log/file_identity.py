"""The identity of an SQLite file, read without changing it: its owner, its schema version, its damage.

SQLite may change a file even to read it: it writes the WAL into it, or deletes the WAL. Here it must not. SQLite's
errors are raised as they are; `model_outcomes.log.store` puts them into plain words.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from model_outcomes.base import messages
from model_outcomes.base.connection import is_in_wal_mode, open_sqlite
from model_outcomes.base.errors import OutcomesError
from model_outcomes.log.upgrades import ORIGINAL_COLUMNS

ORCHESTRATOR_TABLE = "llm_task_outcomes"  # a log has it too, as a mirror; an unversioned file with it is theirs
# The errors of sqlite3 about a file that it cannot use. The second one is raised if a name in the schema is damaged.
FILE_FAULTS = (sqlite3.DatabaseError, UnicodeDecodeError)


class Identity(NamedTuple):
    """The kind of an SQLite file, its schema version, and the names of its tables and views.

    "log" is ours. "original" has an unversioned `model_outcomes` of an earlier tool, which `loader init` upgrades.
    "snapshot" is one that a run published. "empty" has no table yet. "other" belongs to another program.
    """

    kind: Literal["log", "original", "snapshot", "empty", "other"]
    version: int
    tables: tuple[str, ...]


def read_identity(path: Path, newest_version: int, wait_s: float) -> Identity:
    """Return the identity of the SQLite file at `path`, for a loader that knows schemas up to `newest_version`. Nothing
    changes in the file or beside it.

    Raises one of FILE_FAULTS if SQLite cannot read it, or if it is locked for longer than `wait_s` seconds;
    OutcomesError if its WAL is orphaned.
    """
    if fault := orphaned_wal(path):  # SQLite would delete this WAL even to read the file
        raise OutcomesError(fault)
    resolved = Path(os.path.realpath(path))
    # A file in WAL mode without a WAL is complete, and no process has it open. With `immutable`, SQLite creates no WAL
    # to read it.
    is_whole = is_in_wal_mode(resolved) and not os.path.exists(f"{resolved}-wal")  # noqa: PTH110 - faster
    with closing(open_sqlite(resolved, "immutable=1" if is_whole else "mode=ro", wait_s=wait_s)) as connection:
        return identity_of(connection, newest_version)


def identity_of(connection: sqlite3.Connection, newest_version: int) -> Identity:
    """Return the identity of an open SQLite file, as `read_identity`."""
    version = schema_version(connection)
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
        if "load_history" in tables if 0 < version <= newest_version else version > 0:
            return Identity("log", version, tables)
    return Identity("other", version, tables)


def schema_version(connection: sqlite3.Connection) -> int:
    """Return the schema version in an open file, 0 if it has none."""
    version: int = connection.execute("pragma user_version").fetchone()[0]
    return version


def refuse_unless_log(path: Path, identity: Identity, newest_version: int) -> None:
    """Raise OutcomesError unless the file is a log of a known version, or can become one."""
    file, (kind, version, tables) = path.absolute(), identity
    if kind == "snapshot":
        raise OutcomesError(f"{file} is a published snapshot, which is only read: name the log with --db")
    if kind == "other" and version < 0:
        raise OutcomesError(f"{file} has schema version {version}, which no loader writes: name another file with --db")
    if kind == "other" and ORCHESTRATOR_TABLE in tables:
        raise OutcomesError(
            f"{file} is the orchestrator's own database (it has {ORCHESTRATOR_TABLE}) and stays as it is: "
            "name another file with --db, and bring this one beside it with `loader sync-uok`"
        )
    if kind == "other":
        mark = messages.first_names(tables) if tables else f"version {version}"
        raise OutcomesError(f"{file} is another program's database (it has {mark}): name another file with --db")
    if version > newest_version:
        raise OutcomesError(
            f"{file} has schema version {version}, this loader knows {newest_version}: upgrade the loader"
        )


def refuse_others(path: Path, newest_version: int) -> None:
    """Raise OutcomesError for another program's file before we open it to write, because SQLite would write its WAL
    into it. If the file cannot be read, the connection that follows says why."""
    try:
        if path.stat().st_size == 0:
            return
        identity = read_identity(path, newest_version, wait_s=0)
    except (OSError, OutcomesError, *FILE_FAULTS):
        return
    refuse_unless_log(path, identity, newest_version)


def refuse_odd_file(path: Path) -> None:
    """Raise OutcomesError for a folder, a device or a pipe, and for a file with several names.

    SQLite keeps the WAL beside the name by which the file was opened, so with two names neither sees the writes of the
    other.
    """
    file = file_status(path)
    if file and file.st_nlink > 1:
        raise OutcomesError(
            f"{path.absolute()} is one file under {file.st_nlink} names (hard links), which damages an SQLite"
            " database: remove the others, or make symbolic links of them"
        )


def file_status(path: Path) -> os.stat_result | None:
    """Return the status as `status`; raise OutcomesError if `path` is a folder, a device or a pipe."""
    file = status(path)
    if file and stat.S_ISDIR(file.st_mode):
        raise OutcomesError(f"{path.absolute()} is a folder, not a database file")
    if file and not stat.S_ISREG(file.st_mode):
        raise OutcomesError(f"{path.absolute()} is a device or a pipe, not a database file")
    return file


def expect_file(path: Path) -> None:
    """Raise OutcomesError unless `path` is a file that SQLite can use."""
    if not exists(path):
        raise OutcomesError(
            orphaned_wal(path) or f"no database at {path.absolute()}: run `loader init`, or name one with --db"
        )
    refuse_odd_file(path)


def exists(path: Path) -> bool:
    """Return True if the path exists. Raises OutcomesError if that cannot be known."""
    return status(path) is not None


def status(path: Path) -> os.stat_result | None:
    """Return the file's status, None if there is no such file. Raises OutcomesError if that cannot be known."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as fault:
        raise OutcomesError(f"{path.absolute()}: {fault.strerror}") from None
    except ValueError as fault:  # a NUL in the name
        raise OutcomesError(f"{str(path)!r} is no path: {fault}") from None


def orphaned_wal(path: Path) -> str | None:
    """Return a message about a WAL whose database is missing or empty, None if there is no such WAL.

    The WAL holds the last outcomes of a file that was there. SQLite deletes it as soon as a new file is created there.
    """
    real = Path(os.path.realpath(path))
    database, wal = status(real), status(Path(f"{real}-wal"))
    if wal is None or wal.st_size == 0 or (database is not None and database.st_size > 0):
        return None
    state = "is missing" if database is None else "is empty"
    return (
        f"{path.absolute()} {state}, but its WAL holds outcomes: put the file back as {real}"
        f" (docs/guides/recovery.md), or, if it is lost, move {real}-wal away"
    )


def open_to_read(path: Path, wait_s: float) -> sqlite3.Connection:
    """Open a file to read it. For a file in WAL mode, SQLite may create the WAL's index and remove it afterwards. If it
    cannot in this folder, a file without a WAL is read as it is."""
    resolved = Path(os.path.realpath(path))
    mode = "mode=rw" if is_in_wal_mode(resolved) else "mode=ro"
    connection = open_sqlite(resolved, mode, wait_s=wait_s, check_same_thread=False)
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
                f"{path.absolute()} cannot be read in its folder: let SQLite create {resolved.name}-shm there"
            ) from None
    except BaseException:
        connection.close()
        raise
    return open_sqlite(resolved, "immutable=1", wait_s=0.0, check_same_thread=False)


def is_busy(fault: sqlite3.Error) -> bool:
    """Return True if SQLite says that another process holds the file."""
    return "locked" in str(fault) or "busy" in str(fault)


@contextmanager
def naming_damage(path: Path, connection: sqlite3.Connection) -> Iterator[None]:
    """Raise OutcomesError if the block fails because the file is damaged. Other errors stay as they are."""
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
    """Return the first damage that SQLite finds in a file, in one line; None if it finds no damage."""
    try:
        (answer,) = connection.execute("pragma quick_check(1)").fetchone()
    except FILE_FAULTS as fault:
        answer = str(fault)
    return None if answer == "ok" else " ".join(answer.split())


def damaged(path: Path, damage: str) -> OutcomesError:
    """Return the error of a file that SQLite can open but not read."""
    return OutcomesError(f"{path.absolute()} is damaged: {damage}; see `loader doctor` and docs/guides/recovery.md")
