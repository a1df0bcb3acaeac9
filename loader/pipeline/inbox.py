"""The inbox: a folder in which others leave files of outcomes, finished or still being written.

A file is known again by its path, size and time of change, so that a run opens only what is new. What is
being written is left alone: what its name says is not finished, and what was changed a moment ago and ends
too early. Of a file of lines those that are whole are loaded, as ever, and its last one waits.
"""

from __future__ import annotations

import gzip
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from loader import loading, places, store
from loader.errors import BusyError, OutcomesError
from loader.loading import LoadResult
from loader.sources import ARRAY_LIMIT, WINDOW

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv")
UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".download", ".incomplete",
              ".unfinished", ".swp", "~")  # fmt: skip
SETTLED_AFTER = 60.0  # seconds without a change, after which half a file is a damaged one
COMPLETE_AFTER = 86_400.0  # and after which nobody will end a last line any more


@dataclass(frozen=True)
class Found:
    """A file of the inbox. `standing`: `new`, `known` (unchanged since it was loaded), `faulty` (unchanged
    since it could not be), `being_written` or `ignored`."""

    path: Path
    standing: str
    size_bytes: int
    modified_ns: int
    fault: str | None = None

    @property
    def age(self) -> float:
        """Seconds since the last change, by the clocks of this machine and the folder's."""
        return abs(time.time() - self.modified_ns / 1e9)


@dataclass
class InboxResult:
    """What came of the inbox: new files as they were loaded, and the paths of the others."""

    loaded: list[LoadResult] = field(default_factory=list)
    being_written: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    faulty: dict[str, str] = field(default_factory=dict)
    known: int = 0
    faults: list[OutcomesError] = field(default_factory=list)


def look(connection: sqlite3.Connection | None, folder: Path, database: Path) -> list[Found]:
    """What lies in the inbox and its folders, by path. Hidden files are nobody's business, links to folders
    are not followed, and what the loader itself wrote is passed over.

    Raises OutcomesError where the folder cannot be read.
    """
    known = {}
    if connection is not None:
        remembered = "select path, size_bytes, modified_ns, fault from inbox_files"
        known = {path: tuple(rest) for path, *rest in connection.execute(remembered)}
    found = []
    for path in sorted(_files(folder, database)):
        try:
            stat = path.stat()
        except OSError:
            continue  # gone again
        size, changed, fault = known.get(str(path), (None, None, None))
        if path.name.lower().endswith(UNFINISHED):
            standing = "being_written"
        elif not path.name.lower().removesuffix(".gz").endswith(SUFFIXES) or not path.is_file():
            standing = "ignored"
        elif (size, changed) != (stat.st_size, stat.st_mtime_ns):
            standing, fault = "new", None
        else:
            standing = "faulty" if fault else "known"
        found.append(Found(path, standing, stat.st_size, stat.st_mtime_ns, fault))
    return found


def load(connection: sqlite3.Connection, folder: Path, database: Path) -> InboxResult:
    """Load what is new in the inbox, a file at a time; call it within `loading.loading`.

    A file that cannot be read as a whole is a fault of its own, told once, and blocks no other.
    """
    result = InboxResult()
    found = look(connection, folder, database)
    _forget_the_gone(connection, folder, found)
    for file in found:
        if file.standing == "known":
            result.known += 1
        elif file.standing == "faulty":
            result.faulty[str(file.path)] = file.fault or ""
        elif file.standing == "ignored":
            result.ignored.append(str(file.path))
        elif file.standing == "being_written" or _is_half_written(file):
            result.being_written.append(str(file.path))
        else:
            _load(connection, file, result)
    return result


def _files(folder: Path, database: Path) -> Iterator[Path]:
    own = {places.published(database), places.runs(database), places.build_folder(database)}
    own_files = f"{database}.", str(places.spool(database))

    def refuse(fault: OSError) -> None:
        if Path(fault.filename) == folder:
            raise OutcomesError(f"the inbox {folder} cannot be read: {fault.strerror}")

    for parent, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = [name for name in folders if not name.startswith(".") and Path(parent, name) not in own]
        for name in names:
            path = Path(parent, name)
            if not name.startswith(".") and path != database and not str(path).startswith(own_files):
                yield path


def _is_half_written(file: Found) -> bool:
    """Changed a moment ago, and it ends too early. Of lines those that are whole may be loaded at any time."""
    if file.age >= SETTLED_AFTER:
        return False
    try:
        with file.path.open("rb") as raw:
            if raw.read(2) == b"\x1f\x8b":
                raw.seek(0)
                with gzip.open(raw) as unpacked:
                    while unpacked.read(WINDOW):
                        pass
            elif file.path.suffix.lower() == ".json":
                raw.seek(0)
                msgspec.json.decode(raw.read(ARRAY_LIMIT))
    except EOFError:
        return True
    except msgspec.DecodeError as fault:
        return "truncated" in str(fault)
    except (OSError, ValueError, zlib.error):
        return False  # which loading will say better
    return False


def _load(connection: sqlite3.Connection, file: Found, result: InboxResult) -> None:
    is_final = file.age >= COMPLETE_AFTER
    try:
        with file.path.open("rb"):
            pass
    except OSError as fault:
        if file.path.exists():  # what may be mended without a change of the file is tried again
            result.faults.append(OutcomesError(f"{file.path}: {fault.strerror}"))
        return
    try:
        loaded = loading.load_file(connection, str(file.path), is_final=is_final)
    except BusyError:
        raise
    except OutcomesError as fault:
        result.faults.append(fault)
        _remember(connection, file, str(fault))
        return
    result.loaded.append(loaded)
    if not loaded.has_unfinished_line:
        _remember(connection, file, None)


def _remember(connection: sqlite3.Connection, file: Found, fault: str | None) -> None:
    """With the size and time from before it was read: what was added meanwhile is a change."""
    with store.transaction(connection):
        connection.execute(
            "insert or replace into inbox_files (path, size_bytes, modified_ns, fault, seen_at) values (?, ?, ?, ?, ?)",
            (str(file.path), file.size_bytes, file.modified_ns, fault, store.to_text(store.utc_now())),
        )


def _forget_the_gone(connection: sqlite3.Connection, folder: Path, found: list[Found]) -> None:
    present = {str(file.path) for file in found}
    within = connection.execute(
        "select path from inbox_files where substr(path, 1, ?1) = ?2", (len(str(folder)) + 1, f"{folder}{os.sep}")
    )
    gone = [(path,) for (path,) in within if path not in present]
    if gone:
        with store.transaction(connection):
            connection.executemany("delete from inbox_files where path = ?", gone)
