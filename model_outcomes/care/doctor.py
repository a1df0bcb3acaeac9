"""Checks a database and the files beside it. Each finding says what is wrong and what to do next.

The doctor only reads the database. A check that fails, because something is too broken for it, is a finding itself;
the other checks still run.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Literal

import msgspec

from model_outcomes.base import console, locks, messages, paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.care import doctor_checks
from model_outcomes.care.doctor_checks import Finding
from model_outcomes.log import file_identity, spool, store
from model_outcomes.publish import exports, publisher, snapshot

NETWORK_FILE_SYSTEMS = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "afs",
    "ceph",
    "lustre",
    "glusterfs",
    "fuse.sshfs",
    "davfs",
    "beegfs",
    "gpfs",
)
WAL_LIMIT_BYTES = 64 * 2**20
LOW_SPACE_BYTES = 2**30
PACKAGES = ("model-outcomes", "dbt-core", "dbt-adapters", "dbt-sqlite", "click", "msgspec", "filelock")


class Report(msgspec.Struct):
    """All findings in the order of the checks. `status` is the worst status among them."""

    database: str
    status: Literal["ok", "warning", "error"]
    findings: list[Finding]

    def as_json(self) -> str:
        return console.escaped(msgspec.json.format(msgspec.json.encode(self), indent=2).decode())

    def as_text(self) -> str:
        marks = {"ok": "ok  ", "warning": "WARN", "error": "FAIL"}
        lines = []
        for finding in self.findings:
            lines.append(f"{marks[finding.status]}  {finding.check}: {finding.message}")
            lines += [f"      {place}" for place in finding.places]
            lines += [f"      -> {finding.next_step}"] if finding.next_step else []
        return "\n".join(map(console.printable, lines))


def examine(database: Path) -> Report:
    """Check the versions, the files of a database and beside it, and its content."""
    findings = [versions(), *_surroundings(database)]
    # SQLite deletes an orphaned WAL even to read the file.
    if database.exists() and not file_identity.orphaned_wal(database):
        findings += _inside(database)
    worst = max((finding.status for finding in findings), key=("ok", "warning", "error").index)
    return Report(str(database), worst, findings)


def versions() -> Finding:
    """Return the versions of Python, SQLite and the packages, with an error if SQLite is too old."""
    versions = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    message = ", ".join(f"{name} {version}" for name, version in versions.items())
    if sqlite3.sqlite_version_info < store.MINIMUM_SQLITE:
        return Finding("versions", "error", message, "install a Python with SQLite 3.37 or later", versions)
    if versions["dbt-sqlite"] == "not installed":
        return Finding("versions", "warning", message, "to build here: make setup in the checkout", versions)
    return Finding("versions", "ok", message, None, versions)


def _surroundings(database: Path) -> list[Finding]:
    return [
        _file(database),
        _disk(database),
        _spool(database),
        _lock(database),
        _publication(database),
    ]


def _file(database: Path) -> Finding:
    orphan = file_identity.orphaned_wal(database)
    if orphan:
        return Finding("file", "error", orphan, "stop all writers, then follow docs/guides/recovery.md")
    if not database.exists():
        step = "name the right file with --db or OUTCOMES_DB, or create it: loader init"
        return Finding("file", "error", f"there is no {database}", step)
    wal = Path(f"{database}-wal")
    size, wal_size = database.stat().st_size, wal.stat().st_size if wal.exists() else 0
    message = f"{database} has {_bytes(size)}, its WAL {_bytes(wal_size)}"
    details = {"size_bytes": size, "wal_bytes": wal_size}
    if not os.access(database, os.W_OK) or not os.access(database.parent, os.W_OK):
        step = f"let this user write to {database} and to its folder, which also holds the WAL"
        return Finding("file", "error", f"{message}; it is not writable", step, details)
    if wal_size > WAL_LIMIT_BYTES:
        step = f"end the reader that has been open longest, then: sqlite3 {database} 'pragma wal_checkpoint(truncate)'"
        return Finding("file", "warning", message, step, details)
    return Finding("file", "ok", message, None, details)


def _disk(database: Path) -> Finding:
    folder = next(parent for parent in database.parents if parent.exists())
    kind, free = _file_system(folder), os.statvfs(folder)
    free_bytes = free.f_bavail * free.f_frsize
    message = f"{kind or 'unknown file system'}, {_bytes(free_bytes)} free"
    details = {"file_system": kind, "free_bytes": free_bytes}
    if kind and kind.startswith(NETWORK_FILE_SYSTEMS):
        step = "move the database to a local disk: SQLite may lose outcomes on network disks"
        return Finding("disk", "error", message, step, details)
    if free_bytes < LOW_SPACE_BYTES:
        return Finding("disk", "warning", message, "free some space: a full refresh holds the rollups twice", details)
    return Finding("disk", "ok", message, None, details)


def _file_system(folder: Path, mounts: Path = Path("/proc/self/mounts")) -> str | None:
    """Return the type of the file system of a folder, None if it is unknown."""
    try:
        lines = mounts.read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    folder = folder.resolve()
    best: tuple[str, str | None] = ("", None)
    for _, point, kind, *_ in (line.split() for line in lines):
        point = point.replace("\\040", " ")
        if len(point) >= len(best[0]) and folder.is_relative_to(point):
            best = (point, kind)
    return best[1]


def _spool(database: Path) -> Finding:
    foreign = [fault for path in paths.spools(database) if (fault := spool.foreign(database, path))]
    if foreign:
        step = "set OUTCOMES_SPOOL to a folder or a new file; until then outcomes wait in the next spool"
        return Finding("spool", "error", "; ".join(foreign), step, {"faults": foreign})
    waiting = {str(path): path.stat().st_size for path in spool.waiting_files(database)}
    if not waiting:
        return Finding("spool", "ok", "no outcome waits", None, {"files": {}, "size_bytes": 0})
    size = sum(waiting.values())
    step = "loader run loads them; if it happens again, find the writer that locks the database for seconds"
    message = f"outcomes wait in {', '.join(waiting)} ({_bytes(size)})"
    return Finding("spool", "warning", message, step, {"files": waiting, "size_bytes": size})


def _lock(database: Path) -> Finding:
    holder_by_lock = {
        name: locks.holder(path)
        for name, path in {"build": paths.build_folder(database) / "lock", "load": paths.load_lock(database)}.items()
    }
    holders = [holder for holder in holder_by_lock.values() if holder is not None]
    if not holders:
        return Finding("lock", "ok", "not held", None, holder_by_lock)
    message = "; ".join(
        f"{holder.get('purpose')} (process {holder.get('pid')}, since {holder.get('since')})" for holder in holders
    )
    step = f"if it hangs: kill {holders[0].get('pid')}; the lock ends with the process, and its work is rolled back"
    return Finding("lock", "ok", f"held by {message}", step, holder_by_lock)


def _publication(database: Path) -> Finding:
    folder = paths.published(database)
    run = snapshot.published_run(folder / paths.SNAPSHOT)
    damaged = publisher.damaged_files(folder)
    details = {"folder": str(folder), "run_id": run["run_id"] if run else None, "damaged": damaged}
    if damaged and damaged != [exports.DESCRIPTOR]:
        return Finding(
            "publication",
            "warning",
            f"{len(damaged):,} files of {folder} have changed since they were published:"
            f" {messages.first_names(damaged)}",
            "loader run publishes all of them again",
            details,
        )
    if run is None:
        return Finding("publication", "ok", f"nothing is published in {folder}", None, details)
    return Finding("publication", "ok", f"{folder} holds run {run['run_id']}, as of {run['as_of']}", None, details)


def _inside(database: Path) -> list[Finding]:
    try:
        with closing(store.open_existing(database, is_current=False)) as connection:
            connection.row_factory = sqlite3.Row
            checks = (_integrity, doctor_checks.last_run, doctor_checks.caveats)
            return [finding for check in checks for finding in _findings(check, connection, database)]
    except OutcomesError as fault:
        step = f"name the log with --db or OUTCOMES_DB; if it was this one, {_recovery(database)}"
        return [Finding("integrity", "error", str(fault), step)]


def _findings(
    check: Callable[[sqlite3.Connection, Path], Finding | list[Finding]], connection: sqlite3.Connection, database: Path
) -> list[Finding]:
    name = check.__name__.strip("_").replace("_", " ")
    try:
        findings = check(connection, database)
    except sqlite3.OperationalError as fault:
        if str(fault).startswith(("no such table", "no such column")):
            findings = Finding(name, "warning", f"unknown: {fault}", "loader build")
        else:
            findings = Finding(name, "error", f"unknown: {fault}", "look at the findings above first")
    except (sqlite3.Error, UnicodeDecodeError) as fault:
        findings = _unusable(database, fault, name)
    except OutcomesError as fault:
        findings = Finding(name, "error", str(fault), "look at the findings above first")
    except Exception as fault:  # a damaged file can hold any value
        findings = Finding(name, "error", f"unknown: {type(fault).__name__}: {fault}", _recovery(database))
    return findings if isinstance(findings, list) else [findings]


def _integrity(connection: sqlite3.Connection, database: Path) -> Finding:
    lines = [row[0] for row in connection.execute("pragma integrity_check(5)")]
    (mode,) = connection.execute("pragma journal_mode").fetchone()
    if lines != ["ok"]:
        return Finding("integrity", "error", "; ".join(lines), _recovery(database), {"faults": lines})
    if mode != "wal":
        step = "loader init switches it on; without it readers and writers block each other"
        return Finding(
            "integrity", "warning", f"intact, but in {mode} mode instead of WAL", step, {"journal_mode": mode}
        )
    return Finding("integrity", "ok", "intact, in WAL mode", None, {"journal_mode": mode})


def _unusable(database: Path, fault: sqlite3.Error | UnicodeDecodeError, check: str = "integrity") -> Finding:
    if isinstance(fault, UnicodeDecodeError):  # raised for SQLite's message, which quotes the damaged text
        return Finding(check, "error", "it holds bytes that are not text", _recovery(database))
    return Finding(check, "error", f"not readable as SQLite: {fault}", _recovery(database))


def _recovery(database: Path) -> str:
    return f"stop all writers, keep a copy of {database}, and follow docs/guides/recovery.md"


def _bytes(size: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
