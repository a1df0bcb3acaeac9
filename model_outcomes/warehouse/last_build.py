"""Knows whether the last good build is still current, so that a build with nothing new can be skipped.

After a good build on SQLite, a note beside the database holds two things: a digest of everything outside the database
that decides a build, and the state of the database file. Every commit changes that state: those of programs that do
not know the loader too, and those that change a built table. A run writes its own history into the same file, so it
takes the state after its last write. `pragma data_version` shows it that no other connection has written meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from model_outcomes.base import clock, outputs, paths, settings
from model_outcomes.base.engines import SQLITE
from model_outcomes.base.errors import OutcomesError
from model_outcomes.log import store
from model_outcomes.warehouse import workspace
from model_outcomes.warehouse.engines import log_tables

NOTE = "last_build.json"
PACKAGES = ("dbt-core", "dbt-adapters", "dbt-sqlite", "model-outcomes")
NO_CODE = (".md", ".gitkeep")  # of a workspace's models/
CLOCK_STEP_S = 0.05  # longer than a step of the clock that dates files
SECOND_NS = 10**9
GOOD = {"success", "pass"}


class Watch:
    """Watches a database from before a build to its note. Create and use it while holding the lock of builds.

    `has_current_views` says after `is_current` that a build need not visit views: all that decides their definitions is
    as it was at the last good build, and so are the definitions in the database.

    `connection` stays open, and nothing was written with it yet. On other engines than SQLite no build is ever current,
    because their tables cannot be watched.
    """

    def __init__(self, connection: sqlite3.Connection, database: Path, target: str) -> None:
        self._connection, self._database, self._is_possible = connection, database, target == SQLITE
        self._path = paths.build_folder(database, target) / NOTE
        self._is_good = False
        self.has_current_views = False
        self._fingerprint = self._sources = ""
        self._version = _data_version(connection)
        self._state = _state(database)

    def is_current(self, project: Path, vars: Mapping[str, Any]) -> bool:
        """Return True if a build would change nothing: the last one was good, nobody has written to the database since
        then, and `connection` has written nothing that dbt reads. `vars` are those that differ from the project's.
        Call it before `begin`."""
        self._is_possible &= not _has_own_models() and "DBT_FULL_REFRESH" not in os.environ
        if not self._is_possible:
            return False
        self._fingerprint, self._sources = _fingerprint(project, vars), _sources(self._connection)
        note = _read(self._path) or {}
        is_same_project = note.get("fingerprint") == self._fingerprint
        self.has_current_views = is_same_project and note["views"] == _views(self._connection)
        is_same_data = is_same_project and (note["sources"], note["file"]) == (self._sources, self._state)
        has_manifest = (self._path.parent / "target" / "manifest.json").exists()
        self._is_good = is_same_data and has_manifest and self._is_unwritten()
        return self._is_good

    def begin(self) -> None:
        """Remove the note, because a build begins that may fail."""
        self._path.unlink(missing_ok=True)
        self._is_good = False

    def end(self, statuses: set[str]) -> None:
        """Tell that dbt has built everything, with these statuses of its nodes. A build with warnings is not good,
        because the next one repeats them."""
        if self._is_possible and statuses <= GOOD and _reads_only_sources(self._path.parent):
            # Rows that came after `is_current` differ from the noted sources: the next build then builds.
            self._version, self._is_good = _data_version(self._connection), True

    def note(self) -> None:
        """Write the note, after the last write with `connection`, if the last build was good and is still current. A
        fault leaves no note: the next build then builds."""
        if not self._is_good:
            return
        self._path.unlink(missing_ok=True)
        with suppress(sqlite3.Error, OSError, OutcomesError), _without_waiting(self._connection):
            # Writers can go on during the first one; the second one then has little to do.
            for mode in ("passive", "truncate"):
                (is_busy, *_) = self._connection.execute(f"pragma wal_checkpoint({mode})").fetchone()
                if is_busy:
                    return
            # A later write then has another time than the last one so far.
            time.sleep(CLOCK_STEP_S)
            with store.transaction(self._connection):
                state = _state(self._database)
                if state is None or not self._is_unwritten() or not store.is_in_place(self._connection, self._database):
                    return
            content = {
                "fingerprint": self._fingerprint,
                "sources": self._sources,
                "views": _views(self._connection),
                "file": state,
            }
            with outputs.replacing(self._path) as unfinished:
                unfinished.write_text(json.dumps(content), encoding="utf-8")

    def _is_unwritten(self) -> bool:
        return _data_version(self._connection) == self._version


def _fingerprint(project: Path, vars: Mapping[str, Any]) -> str:
    """Return a digest of the project, the user's seeds, vars, versions, dbt's variables and the UTC day, which is the
    only time that dbt models read."""
    digest = hashlib.sha256()
    facts = {
        "day": f"{clock.utc_now():%Y-%m-%d}",
        "vars": dict(vars),
        "versions": [*map(_version, PACKAGES), sqlite3.sqlite_version, platform.python_version()],
        "dbt": {name: value for name, value in os.environ.items() if name.startswith("DBT_")},
    }
    digest.update(json.dumps(facts, sort_keys=True).encode())
    own = settings.workspace() or project / workspace.FOLDER
    for folder in (*(project / name for name in workspace.OF_PRODUCT), *(own / part for part in workspace.PARTS)):
        for path in sorted(folder.rglob("*")) if folder.is_dir() else [folder]:
            if path.is_file():
                content = path.read_bytes()
                digest.update(f"{path.relative_to(folder.parent)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _has_own_models() -> bool:
    """Return True if the workspace has dbt models of the user's: they may read the clock, or any table."""
    folder = settings.workspace()
    files = (folder / "models").rglob("*") if folder else ()
    return any(path.is_file() and not path.name.endswith(NO_CODE) for path in files)


def _reads_only_sources(folder: Path) -> bool:
    """Return True if the built project has no other sources than the log's own."""
    manifest = _read(folder / "target" / "manifest.json") or {}
    own = {log_tables.LOG, *log_tables.OTHER_TABLES}
    return "sources" in manifest and all(source["identifier"] in own for source in manifest["sources"].values())


def _sources(connection: sqlite3.Connection) -> str:
    """Return a digest of the tables that dbt reads. The log and the corrections are append-only, so their last ids
    identify their rows."""
    last_ids = connection.execute(
        f"select (select max(id) from {log_tables.LOG}), (select max(correction_id) from {log_tables.CORRECTIONS})"
    ).fetchone()
    digest = hashlib.sha256(repr(last_ids).encode())
    cursor = connection.cursor()
    factory, connection.text_factory = connection.text_factory, bytes
    try:
        for table in sorted(log_tables.OTHER_TABLES.keys() - {log_tables.CORRECTIONS}):
            digest.update(table.encode())
            for row in cursor.execute(f"select * from {table}"):
                digest.update(repr(row).encode())
    finally:
        connection.text_factory = factory
    return digest.hexdigest()


def _views(connection: sqlite3.Connection) -> str:
    """Return a digest of the definitions of all views."""
    rows = connection.execute("select name, sql from sqlite_master where type = 'view' order by name").fetchall()
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def _state(database: Path) -> list[int] | None:
    """Return the state of a database file that has all commits, None if some are only in its WAL or journal, or if the
    file system dates files to the second. The file is not opened, because to close it would release the locks that
    SQLite holds on it for this process (https://sqlite.org/howtocorrupt.html, 2.2)."""
    real = os.path.realpath(database)
    for suffix in ("-wal", "-journal"):
        with suppress(FileNotFoundError):
            if Path(f"{real}{suffix}").stat().st_size:
                return None
    try:
        status = Path(real).stat()
    except OSError:
        return None
    if status.st_mtime_ns % SECOND_NS == 0:
        return None
    return [status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]


def _data_version(connection: sqlite3.Connection) -> int:
    """Return a number that changes with each commit of another connection (https://sqlite.org/pragma.html)."""
    version: int = connection.execute("pragma data_version").fetchone()[0]
    return version


@contextmanager
def _without_waiting(connection: sqlite3.Connection) -> Iterator[None]:
    """Let no statement of the block wait for other programs."""
    (before,) = connection.execute("pragma busy_timeout").fetchone()
    connection.execute("pragma busy_timeout = 0")
    try:
        yield
    finally:
        connection.execute(f"pragma busy_timeout = {before}")


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
