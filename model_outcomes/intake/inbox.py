"""The inbox: a folder to which other programs write files of outcomes.

A file is recognized by its path, size and time of change, so that a run opens only new files. A file that is being
written waits: its name shows that, or it was changed a moment ago and ends too early. Of a file of lines, the complete
lines are loaded at any time; the last line waits for its newline.

Other users may write to the folder, so its content is not trusted: no link out of the folder is followed, and only
regular files are opened. If two runs ended while they loaded a file, it is not opened again.
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
from model_outcomes.intake.decoding import UnfinishedError
from model_outcomes.intake.writer import LoadResult
from model_outcomes.log import store

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv")
UNFINISHED_ENDS = (".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".download", ".incomplete",
                   ".unfinished", ".swp", "~")  # fmt: skip
SETTLED_AFTER_S = 60.0  # without a change, half a file is a damaged file
COMPLETE_AFTER_S = 86_400.0  # without a change, a last line needs no newline
MAX_ATTEMPTS = 2  # runs that may end while they load a file
SMALL_BYTES = 100_000  # a file up to this size is loaded and noted in one transaction
OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW


@dataclass(frozen=True)
class InboxFile:
    """A file of the inbox.

    `state` is `new`, `known` (unchanged since it was loaded), `refused` (never opened; `fault` says why), `faulty`
    (unchanged since a run named its fault), `being_written` or `ignored`. `parts` is the path from the inbox to the
    file, with links resolved."""

    path: Path
    state: str
    size_bytes: int
    modified_ns: int
    fault: str | None = None
    parts: tuple[str, ...] = ()
    attempts: int = 0

    @property
    def name(self) -> str:
        return paths.shown_path(self.path)

    @property
    def age_s(self) -> float:
        """Return the seconds since the last change. The clocks of this machine and of the folder may differ."""
        return abs(time.time() - self.modified_ns / 1e9)


@dataclass
class InboxResult:
    """The result of a load of the inbox: the new files, and the paths of the others by their state."""

    loaded: list[LoadResult] = field(default_factory=list)
    being_written: list[str] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    faulty: dict[str, str] = field(default_factory=dict)
    known: int = 0
    faults: list[OutcomesError] = field(default_factory=list)


@dataclass(frozen=True)
class _KnownFile:
    """The row of a file in `inbox_files`."""

    size_bytes: int
    modified_ns: int
    fault: str | None
    attempts: int


def listing(connection: sqlite3.Connection | None, folder: Path, database: Path) -> list[InboxFile]:
    """Return the files of the inbox and its subfolders in the order of their paths. No file is opened.

    Hidden files and our own files are left out; links to folders are not followed. Raises OutcomesError if the folder
    cannot be read.
    """
    paths.source_name(folder)
    known = {}
    if connection is not None:
        query = "select path, size_bytes, modified_ns, fault, attempts from inbox_files"
        known = {path: _KnownFile(*columns) for path, *columns in connection.execute(query)}
    root = Path(os.path.realpath(folder))
    own = _Own(database)
    files = []
    for path, fault in sorted(_entries(folder, own)):
        with suppress(OSError):  # it was removed meanwhile
            files.append(_inbox_file(path, fault, folder, root, own, known.get(paths.shown_path(path))))
    return files


def load(connection: sqlite3.Connection, folder: Path, database: Path) -> InboxResult:
    """Load the new files of the inbox, one after the other. Call it within `loads.lock`.

    If a file cannot be read, its fault is named once, and the others are loaded.
    """
    result = InboxResult()
    files = listing(connection, folder, database)
    # The files stay where they are, so lines that a power failure takes from the log are loaded again. With many small
    # files, waiting for the disk at each commit would take most of the time.
    with store.synchronous(connection, "normal"):
        _load_all(connection, folder, files, result)
    return result


def _load_all(connection: sqlite3.Connection, folder: Path, files: list[InboxFile], result: InboxResult) -> None:
    _forget_removed(connection, folder, files)
    for file in files:
        if file.state == "known":
            result.known += 1
        elif file.state == "faulty":
            result.faulty[file.name] = file.fault or ""
        elif file.state == "ignored":
            result.ignored.append(file.name)
        elif file.state == "being_written":
            result.being_written.append(file.name)
        elif file.state == "refused":
            _refuse(connection, file, OutcomesError(f"{file.name}: {file.fault}"), result)
        else:
            _load(connection, folder, file, result)


class _Own:
    """The files and folders that we keep beside a database."""

    def __init__(self, database: Path) -> None:
        self._folders = {paths.published(database), paths.runs(database), paths.build_folder(database)}
        self._database = database
        self._prefixes = f"{database}.", str(paths.spool(database))

    def has(self, path: Path) -> bool:
        return path in self._folders or path == self._database or str(path).startswith(self._prefixes)


def _entries(folder: Path, own: _Own) -> Iterator[tuple[Path, str | None]]:
    """Yield (path, None) for all files and links in the inbox, and (path, fault) for folders that cannot be read."""
    folders = [folder]
    while folders:
        parent = folders.pop()
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
                folders.append(path)
            else:
                yield path, "the folder's name is not UTF-8: rename it"


def _inbox_file(
    path: Path, fault: str | None, folder: Path, root: Path, own: _Own, known: _KnownFile | None
) -> InboxFile:
    status, parts = path.lstat(), path.relative_to(folder).parts
    name = path.name.lower()
    is_ours = name.removesuffix(".gz").endswith(SUFFIXES)
    if is_ours and stat.S_ISLNK(status.st_mode):
        target = Path(os.path.realpath(path))
        if not target.is_relative_to(root):
            fault = "is a link out of the inbox: put the file itself here"
        elif own.has(target):
            is_ours = False
        else:
            status, parts = target.lstat(), target.relative_to(root).parts
            is_ours = not stat.S_ISDIR(status.st_mode)
    # SQLite keeps 64 bits, and a file may be dated after 2262.
    size, modified = status.st_size, max(-(2**63), min(status.st_mtime_ns, 2**63 - 1))
    is_unchanged = known is not None and (known.size_bytes, known.modified_ns) == (size, modified)
    attempts = known.attempts if known and is_unchanged else 0
    if fault is None and is_ours:
        fault = _unfit(path, status, attempts)
    if fault is None and name.endswith(UNFINISHED_ENDS):
        state = "being_written"
    elif fault is None and not is_ours:
        state = "ignored"
    elif known and is_unchanged and known.fault:
        state, fault = "faulty", known.fault
    elif fault is not None:
        state = "refused"
    else:
        state = "known" if is_unchanged and not attempts else "new"
    return InboxFile(path, state, size, modified, fault, parts, attempts)


def _unfit(path: Path, status: os.stat_result, attempts: int) -> str | None:
    """Return why a file is not opened, None if it may be opened."""
    if stat.S_ISLNK(status.st_mode):
        return None  # it has a fault already
    if not stat.S_ISREG(status.st_mode):
        kinds = {stat.S_IFIFO: "a FIFO", stat.S_IFSOCK: "a socket"}
        return f"is {kinds.get(stat.S_IFMT(status.st_mode), 'a device')}, not a file, and is not opened"
    if paths.shown_path(path) != str(path):
        return "the name is not UTF-8: rename the file"
    if attempts >= MAX_ATTEMPTS:
        return f"the last {attempts} runs ended before any line of it was loaded; it is left out until it changes"
    return None


@contextmanager
def _opened(folder: Path, file: InboxFile) -> Iterator[BinaryIO]:
    """Open a file, from the inbox down part by part, so that no link that replaced a part is followed. Raises
    OSError."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in file.parts[:-1]:
            parent, descriptor = descriptor, os.open(part, OPEN_FLAGS | os.O_DIRECTORY, dir_fd=descriptor)
            os.close(parent)
        # Not blocking, because a FIFO in place of the file would wait for a writer.
        with os.fdopen(os.open(file.parts[-1], OPEN_FLAGS | os.O_NONBLOCK, dir_fd=descriptor), "rb") as opened:
            if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
                raise OSError(0, "is no regular file any more")
            yield opened
    finally:
        os.close(descriptor)


def _load(connection: sqlite3.Connection, folder: Path, file: InboxFile, result: InboxResult) -> None:
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
            # The cause may disappear without a change of the file, so the next run tries again.
            _forget(connection, file)
            result.faults.append(fault)
        except UnfinishedError as fault:
            if file.age_s >= SETTLED_AFTER_S:
                _refuse(connection, file, fault, result)
            else:
                _forget(connection, file)
                result.being_written.append(file.name)
        except BusyError:
            raise
        except OutcomesError as fault:
            _refuse(connection, file, fault, result)


def _load_opened(connection: sqlite3.Connection, file: InboxFile, opened: BinaryIO) -> LoadResult:
    """Load a file. A note that it was begun is written first, and removed if the load ends for a reason other than the
    file."""
    _remember(connection, file, None, attempts=file.attempts + 1)
    has_progress = False

    def progress(done: int, size: int) -> None:
        nonlocal has_progress
        if done < size and not has_progress:
            has_progress = True
            _forget(connection, file)

    is_small = file.size_bytes <= SMALL_BYTES and file.path.suffix != ".gz"
    try:
        with store.transaction(connection) if is_small else nullcontext():
            loaded = loads.load_file(
                connection,
                str(file.path),
                file=opened,
                is_final=file.age_s >= COMPLETE_AFTER_S,
                is_settled=file.age_s >= SETTLED_AFTER_S,
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


def _refuse(connection: sqlite3.Connection, file: InboxFile, fault: OutcomesError, result: InboxResult) -> None:
    result.faults.append(fault)
    _remember(connection, file, str(fault))


def _remember(connection: sqlite3.Connection, file: InboxFile, fault: str | None, *, attempts: int = 0) -> None:
    """Note a file with the size and time it had before it was read, so that later additions are a change."""
    with store.transaction(connection):
        connection.execute(
            "insert or replace into inbox_files (path, size_bytes, modified_ns, fault, attempts, seen_at)"
            " values (?, ?, ?, ?, ?, ?)",
            (file.name, file.size_bytes, file.modified_ns, fault, attempts, clock.now_text()),
        )


def _forget(connection: sqlite3.Connection, file: InboxFile) -> None:
    with store.transaction(connection):
        connection.execute("delete from inbox_files where path = ?", (file.name,))


def _forget_removed(connection: sqlite3.Connection, folder: Path, files: list[InboxFile]) -> None:
    present = {file.name for file in files}
    within = connection.execute(
        "select path from inbox_files where substr(path, 1, ?1) = ?2", (len(str(folder)) + 1, f"{folder}{os.sep}")
    )
    gone = [(path,) for (path,) in within if path not in present]
    if gone:
        with store.transaction(connection):
            connection.executemany("delete from inbox_files where path = ?", gone)
