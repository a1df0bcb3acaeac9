"""The inbox: a folder in which others leave files of outcomes, finished or still being written.

A file is known again by its path, size and time of change, so that a run opens only what is new. What is
being written is left alone: a name that says so, and a file that was changed a moment ago and ends too early.
Of a file of lines the whole lines are loaded at any time, and its last one waits.

Others may write to the folder, so its content is not trusted: no link is followed out of it, nothing but
regular files is opened. If a file ended two runs before it was loaded, it is not opened again.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from model_outcomes.base import clock, paths
from model_outcomes.base.errors import BusyError, OutcomesError, UnreadableError
from model_outcomes.intake import loads
from model_outcomes.intake.loads import LoadResult
from model_outcomes.intake.sources import UnfinishedError
from model_outcomes.log import store

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv")
UNFINISHED = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".download", ".incomplete",
              ".unfinished", ".swp", "~")  # fmt: skip
SETTLED_AFTER = 60.0  # seconds without a change, after which half a file is a damaged one
COMPLETE_AFTER = 86_400.0  # and after which nobody will end a last line any more
ATTEMPTS = 2  # runs that a file may end before anything of it is loaded
SMALL = 100_000  # bytes of a file that is loaded in one transaction, with the note that it was
FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True)
class Found:
    """A file of the inbox. `standing` is `new`, `known` (unchanged since it was loaded), `refused` (never opened;
    `fault` says why), `faulty` (unchanged since a run named its fault), `being_written` or `ignored`.

    `parts` is the path from the inbox to the file itself, with links resolved."""

    path: Path
    standing: str
    size_bytes: int
    modified_ns: int
    fault: str | None = None
    parts: tuple[str, ...] = ()
    attempts: int = 0

    @property
    def name(self) -> str:
        return paths.shown_path(self.path)

    @property
    def age(self) -> float:
        """Return the seconds since the last change, by the clocks of this machine and the folder's."""
        return abs(time.time() - self.modified_ns / 1e9)


@dataclass
class InboxResult:
    """The outcome of reading the inbox: new files as they were loaded, and the paths of the others."""

    loaded: list[LoadResult] = field(default_factory=list)
    being_written: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    faulty: dict[str, str] = field(default_factory=dict)
    known: int = 0
    faults: list[OutcomesError] = field(default_factory=list)


@dataclass(frozen=True)
class _Memory:
    """The row of a file in `inbox_files`."""

    size_bytes: int
    modified_ns: int
    fault: str | None
    attempts: int


def look(connection: sqlite3.Connection | None, folder: Path, database: Path) -> list[Found]:
    """Return the files of the inbox and its folders, by path, without opening any. Hidden files and the loader's
    own are left out, links to folders are not followed.

    Raises OutcomesError if the folder cannot be read.
    """
    paths.source_name(folder)
    memory = {}
    if connection is not None:
        remembered = "select path, size_bytes, modified_ns, fault, attempts from inbox_files"
        memory = {path: _Memory(*rest) for path, *rest in connection.execute(remembered)}
    root = Path(os.path.realpath(folder))
    own = _Own(database)
    files = []
    for path, fault in sorted(_entries(folder, own)):
        with suppress(OSError):  # it is gone again
            files.append(_found(path, fault, folder, root, own, memory.get(paths.shown_path(path))))
    return files


def load(connection: sqlite3.Connection, folder: Path, database: Path) -> InboxResult:
    """Load what is new in the inbox, a file at a time; call it within `loading.loading`.

    A file that cannot be read as a whole is a fault of its own, named once, and blocks no other.
    """
    result = InboxResult()
    files = look(connection, folder, database)
    # The files stay where they are: what a power failure takes from the log is loaded again. Waiting for the disk
    # at each commit would take most of the time of many small files.
    with store.synchronous(connection, "normal"):
        _load_all(connection, folder, files, result)
    return result


def _load_all(connection: sqlite3.Connection, folder: Path, files: list[Found], result: InboxResult) -> None:
    _forget_the_gone(connection, folder, files)
    for file in files:
        if file.standing == "known":
            result.known += 1
        elif file.standing == "faulty":
            result.faulty[file.name] = file.fault or ""
        elif file.standing == "ignored":
            result.ignored.append(file.name)
        elif file.standing == "being_written":
            result.being_written.append(file.name)
        elif file.standing == "refused":
            _refuse(connection, file, OutcomesError(f"{file.name}: {file.fault}"), result)
        else:
            _load(connection, folder, file, result)


class _Own:
    """The files and folders that the loader itself keeps beside a database."""

    def __init__(self, database: Path) -> None:
        self._folders = {paths.published(database), paths.runs(database), paths.build_folder(database)}
        self._database = database
        self._prefixes = f"{database}.", str(paths.spool(database))

    def has(self, path: Path) -> bool:
        return path in self._folders or path == self._database or str(path).startswith(self._prefixes)


def _entries(folder: Path, own: _Own) -> Iterator[tuple[Path, str | None]]:
    """Yield all files and links in the inbox, and the folders that cannot be read, with the reason."""
    waiting = [folder]
    while waiting:
        parent = waiting.pop()
        try:
            entries = list(os.scandir(parent))
        except OSError as fault:
            if parent == folder:
                raise OutcomesError(f"the inbox {folder} cannot be read: {fault.strerror}") from None
            yield parent, f"the folder cannot be read: {fault.strerror}"
            continue
        for entry in entries:
            path = parent / entry.name
            if entry.name.startswith(".") or own.has(path):
                continue
            if not entry.is_dir(follow_symlinks=False):
                yield path, None
            elif paths.shown_path(path) == str(path):
                waiting.append(path)
            else:
                yield path, "the folder's name is not UTF-8: rename it"


def _found(path: Path, fault: str | None, folder: Path, root: Path, own: _Own, memory: _Memory | None) -> Found:
    status, parts = path.lstat(), path.relative_to(folder).parts
    name = path.name.lower()
    is_ours = name.removesuffix(".gz").endswith(SUFFIXES)
    if is_ours and stat.S_ISLNK(status.st_mode):
        target = Path(os.path.realpath(path))
        if not target.is_relative_to(root):
            fault = "is a link that leads out of the inbox: put the file itself here"
        elif own.has(target):
            is_ours = False
        else:
            status, parts = target.lstat(), target.relative_to(root).parts
            is_ours = not stat.S_ISDIR(status.st_mode)
    # SQLite keeps 64 bits, and a file may be dated after 2262.
    size, modified = status.st_size, max(-(2**63), min(status.st_mtime_ns, 2**63 - 1))
    is_unchanged = memory is not None and (memory.size_bytes, memory.modified_ns) == (size, modified)
    attempts = memory.attempts if memory and is_unchanged else 0
    if fault is None and is_ours:
        fault = _unfit(path, status, attempts)
    if fault is None and name.endswith(UNFINISHED):
        standing = "being_written"
    elif fault is None and not is_ours:
        standing = "ignored"
    elif memory and is_unchanged and memory.fault:
        standing, fault = "faulty", memory.fault
    elif fault is not None:
        standing = "refused"
    else:
        standing = "known" if is_unchanged and not attempts else "new"
    return Found(path, standing, size, modified, fault, parts, attempts)


def _unfit(path: Path, status: os.stat_result, attempts: int) -> str | None:
    """Return why a file is never opened, None if it may be."""
    if stat.S_ISLNK(status.st_mode):
        return None  # refused already
    if not stat.S_ISREG(status.st_mode):
        kinds = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
        return f"is {kinds.get(stat.S_IFMT(status.st_mode), 'a device')}, not a file, and is not opened"
    if paths.shown_path(path) != str(path):
        return "the name is not UTF-8: rename the file"
    if attempts >= ATTEMPTS:
        return f"it ended the last {attempts} runs before anything of it was loaded; it is left out until it changes"
    return None


@contextmanager
def _opened(folder: Path, file: Found) -> Iterator[BinaryIO]:
    """Open a file from the inbox down, part by part: a link that has replaced a part is not followed.

    Raises OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in file.parts[:-1]:
            parent, descriptor = descriptor, os.open(part, FLAGS | os.O_DIRECTORY, dir_fd=descriptor)
            os.close(parent)
        # Not blocking: a FIFO that took the file's place would wait for a writer.
        with os.fdopen(os.open(file.parts[-1], FLAGS | os.O_NONBLOCK, dir_fd=descriptor), "rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise OSError(0, "is no file any more")
            yield opened
    finally:
        os.close(descriptor)


def _load(connection: sqlite3.Connection, folder: Path, file: Found, result: InboxResult) -> None:
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(_opened(folder, file))
        except FileNotFoundError:
            return
        except OSError as fault:
            result.faults.append(UnreadableError(f"{file.name}: {fault.strerror}"))
            return
        try:
            result.loaded.append(_load_opened(connection, file, opened))
        except UnreadableError as fault:
            # The cause may go away without a change of the file, so the next run tries again.
            _forget(connection, file)
            result.faults.append(fault)
        except UnfinishedError as fault:
            if file.age >= SETTLED_AFTER:
                _refuse(connection, file, fault, result)
            else:
                _forget(connection, file)
                result.being_written.append(file.name)
        except BusyError:
            raise
        except OutcomesError as fault:
            _refuse(connection, file, fault, result)


def _load_opened(connection: sqlite3.Connection, file: Found, opened: BinaryIO) -> LoadResult:
    """Load a file. It is noted as begun before it is read. If something other than the file ends the load, the note
    is removed."""
    _remember(connection, file, None, attempts=file.attempts + 1)
    has_progress = False

    def progress(done: int, size: int) -> None:
        nonlocal has_progress
        if done < size and not has_progress:
            has_progress = True
            _forget(connection, file)

    is_small = file.size_bytes <= SMALL and file.path.suffix != ".gz"
    try:
        with store.transaction(connection) if is_small else nullcontext():
            loaded = loads.load_file(
                connection,
                str(file.path),
                file=opened,
                is_final=file.age >= COMPLETE_AFTER,
                is_settled=file.age >= SETTLED_AFTER,
                progress=progress,
            )
            if loaded.has_unfinished_line:
                _forget(connection, file)
            else:
                _remember(connection, file, None)
            return loaded
    except OutcomesError:
        raise
    except BaseException:
        with suppress(sqlite3.Error):
            _remember(connection, file, None, attempts=file.attempts) if file.attempts else _forget(connection, file)
        raise


def _refuse(connection: sqlite3.Connection, file: Found, fault: OutcomesError, result: InboxResult) -> None:
    result.faults.append(fault)
    _remember(connection, file, str(fault))


def _remember(connection: sqlite3.Connection, file: Found, fault: str | None, *, attempts: int = 0) -> None:
    """Note a file with the size and time from before it was read: what is added meanwhile is a change."""
    with store.transaction(connection):
        connection.execute(
            "insert or replace into inbox_files (path, size_bytes, modified_ns, fault, attempts, seen_at)"
            " values (?, ?, ?, ?, ?, ?)",
            (file.name, file.size_bytes, file.modified_ns, fault, attempts, clock.to_text(clock.utc_now())),
        )


def _forget(connection: sqlite3.Connection, file: Found) -> None:
    with store.transaction(connection):
        connection.execute("delete from inbox_files where path = ?", (file.name,))


def _forget_the_gone(connection: sqlite3.Connection, folder: Path, files: list[Found]) -> None:
    present = {file.name for file in files}
    within = connection.execute(
        "select path from inbox_files where substr(path, 1, ?1) = ?2", (len(str(folder)) + 1, f"{folder}{os.sep}")
    )
    gone = [(path,) for (path,) in within if path not in present]
    if gone:
        with store.transaction(connection):
            connection.executemany("delete from inbox_files where path = ?", gone)
