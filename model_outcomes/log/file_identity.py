"""What an SQLite file is, told without changing it: whose it is, which schema it has, whether it is damaged.

SQLite may change a file even to read it: it brings a WAL into it, or deletes the WAL. Here it must not.
SQLite's own errors are raised as they are; `model_outcomes.log.store` puts them into plain words.
"""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from model_outcomes.base.errors import OutcomesError
from model_outcomes.log.upgrades import ORIGINAL_COLUMNS

ORCHESTRATOR_TABLE = "llm_task_outcomes"  # a log has it too, as a mirror; an unversioned file only if it is theirs
# What sqlite3 raises about a file that it cannot use: the second if a name in the schema is no text any more.
FILE_FAULTS = (sqlite3.DatabaseError, UnicodeDecodeError)


class Identity(NamedTuple):
    """What an SQLite file is: its kind, its schema version, the names of its tables and views.

    "log" is ours. "original" has an unversioned `model_outcomes` of an earlier tool, which `loader init` takes over.
    "snapshot" is what a run publishes. "empty" has no table yet. "other" is another program's.
    """

    kind: Literal["log", "original", "snapshot", "empty", "other"]
    version: int
    tables: tuple[str, ...]


def read_identity(path: Path, newest_version: int, wait: float) -> Identity:
    """Return what the SQLite file at `path` is, to a loader that knows schemas up to `newest_version`. Nothing changes
    in the file or beside it.

    Raises one of FILE_FAULTS if it cannot be read as SQLite, or if it is locked for longer than `wait` seconds;
    OutcomesError if its WAL is orphaned.
    """
    if fault := orphaned_wal(path):  # SQLite deletes such a WAL even to read the file
        raise OutcomesError(fault)
    resolved = Path(os.path.realpath(path))
    # A file in WAL mode that has no WAL is whole, and nobody has it open. As `immutable`, SQLite makes no WAL
    # to read it.
    is_whole = _is_in_wal_mode(resolved) and not os.path.exists(f"{resolved}-wal")  # noqa: PTH110 - quicker
    with closing(_read_only(resolved, "immutable=1" if is_whole else "mode=ro", wait)) as connection:
        return identity_of(connection, newest_version)


def identity_of(connection: sqlite3.Connection, newest_version: int) -> Identity:
    """Return what an open SQLite file is, to a loader that knows schemas up to `newest_version`."""
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
    """Return the schema version that an open file says it has, 0 if none was written into it."""
    version: int = connection.execute("pragma user_version").fetchone()[0]
    return version


def refuse_unless_log(path: Path, identity: Identity, newest_version: int) -> None:
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
    if version > newest_version:
        raise OutcomesError(
            f"{where} has schema version {version}, this loader knows {newest_version}: upgrade the loader"
        )


def refuse_others(path: Path, newest_version: int) -> None:
    """Raise OutcomesError for another program's file before it is opened to be written: SQLite would bring its WAL
    into it. What cannot be read is left to the connection that follows, which says why."""
    try:
        if path.stat().st_size == 0:
            return
        identity = read_identity(path, newest_version, wait=0)
    except (OSError, OutcomesError, *FILE_FAULTS):
        return
    refuse_unless_log(path, identity, newest_version)


def refuse_odd_file(path: Path) -> None:
    """Raise OutcomesError for a folder, a device or a pipe, and for a file with several names.

    SQLite keeps a WAL beside the name that a file was opened by: under two names, neither sees what the other wrote.
    """
    found = status(path)
    if found is None:
        return
    if stat.S_ISDIR(found.st_mode):
        raise OutcomesError(f"{path.absolute()} is a folder, not a database file")
    if not stat.S_ISREG(found.st_mode):
        raise OutcomesError(f"{path.absolute()} is a device or a pipe, not a database file")
    if found.st_nlink > 1:
        raise OutcomesError(
            f"{path.absolute()} is one file under {found.st_nlink} names (hard links), which damages an SQLite"
            " database: remove the others, or make symbolic links of them"
        )


def expect_file(path: Path) -> None:
    """Raise OutcomesError unless there is a file at `path` that SQLite can use."""
    if not exists(path):
        raise OutcomesError(
            orphaned_wal(path) or f"no database at {path.absolute()}: run `loader init`, or name one with --db"
        )
    refuse_odd_file(path)


def exists(path: Path) -> bool:
    """Return whether a path names anything; raises OutcomesError if nobody can tell."""
    return status(path) is not None


def status(path: Path) -> os.stat_result | None:
    """Return the file's status, None if there is no such file; raises OutcomesError if nobody can tell."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as fault:
        raise OutcomesError(f"{path.absolute()}: {fault.strerror}") from None
    except ValueError as fault:  # a NUL in the name
        raise OutcomesError(f"{str(path)!r} is no path: {fault}") from None


def orphaned_wal(path: Path) -> str | None:
    """Return what to do about a WAL whose database is missing or empty, None if there is no such WAL.

    The WAL holds the last outcomes of the file that was there, and SQLite deletes it with the next file made there.
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


def open_to_read(path: Path, wait: float) -> sqlite3.Connection:
    """Open a file in WAL mode so that SQLite may make the WAL's index and clear it away again; in a folder where it
    cannot, read a file without a WAL as it is. Other files need nothing beside them."""
    resolved = Path(os.path.realpath(path))
    connection = _read_only(resolved, "mode=rw" if _is_in_wal_mode(resolved) else "mode=ro", wait)
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


def is_busy(fault: sqlite3.Error) -> bool:
    """Return whether SQLite says that somebody else holds the file."""
    return "locked" in str(fault) or "busy" in str(fault)


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
    except FILE_FAULTS as fault:
        answer = str(fault)
    return None if answer == "ok" else " ".join(answer.split())


def damaged(path: Path, damage: str) -> OutcomesError:
    """Return the fault of a file that SQLite can open and not read."""
    return OutcomesError(f"{path.absolute()} is damaged: {damage}; see `loader doctor` and docs/guides/recovery.md")


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
