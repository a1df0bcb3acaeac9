"""The spool: outcomes that the database could not take wait in a JSON Lines file until they are drained.

An outcome is appended with one write under a kernel lock and synced before it counts as kept. A drain
renames the file under that lock, so that no line is added to what it reads, and removes it when the
database has every line. Killed in between, it finds the renamed file again: what of it is in the
database already is known by the file's content, and by the event_id that each outcome was given.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import sqlite3
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from loader import loading, places, relocation, sources, store
from loader.errors import NotKeptError, OutcomesError
from loader.outcome import Outcome, not_unicode

PATIENCE = 2.0  # seconds; a lock is held for one write, so that nobody should ever wait that long


@dataclass
class DrainResult:
    """What came of the waiting outcomes: lines by their fate, and the spools that held them."""

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    files: list[Path] = field(default_factory=list)


def append(database: Path, outcome: Outcome) -> Path:
    """Keep an outcome for a database in the first of its spools that takes it; on disk on return.

    An outcome without an event_id is given one, so that it is one outcome however often it is drained.
    Raises NotKeptError, with the outcome as JSON, where no spool can be written, InvalidOutcome where it
    holds what is no text.
    """
    return _append_to_first(places.spools(database), outcome, database)


def append_unsettled(outcome: Outcome) -> Path:
    """Keep an outcome as `append` does, while outcomes.toml cannot say which database it is for."""
    path = places.unsettled_spool()
    return _append_to_first([path] if path else [], outcome)


def _append_to_first(spools: Sequence[Path], outcome: Outcome, database: Path | None = None) -> Path:
    if outcome.event_id is None:
        outcome = msgspec.structs.replace(outcome, event_id=f"spool-{os.urandom(16).hex()}")
    fields = {name: value for name, value in msgspec.structs.asdict(outcome).items() if value is not None}
    try:
        line = msgspec.json.encode(fields) + b"\n"
    except UnicodeEncodeError:
        raise not_unicode(outcome) from None
    faults = []
    for path in spools:
        try:
            # A folder that is there for the database alone is not made for want of one.
            if database is None or path.parent != database.parent:
                path.parent.mkdir(parents=True, exist_ok=True)
            _append(path, line)
        except OSError as fault:
            faults.append(f"{path}: {fault.strerror}")
        else:
            if database and path.parent == places.state_folder():
                relocation.note(database, path)
            return path
    raise NotKeptError(
        f"the outcome could be kept nowhere ({'; '.join(faults) or 'there is no home folder'})", line.decode().rstrip()
    )


def drain(connection: sqlite3.Connection, database: Path) -> DrainResult:
    """Bring every outcome that waits for a database into its log, exactly once.

    Others may append meanwhile, and drain: a file that another drain is at work on is left to it.
    Lines that are no outcomes are kept in `rejected_outcomes`. Raises OutcomesError where a spool
    cannot be read or removed, and SQLite's errors where the database does not take the rows; what
    was not drained waits as before.
    """
    result = DrainResult()
    with store.full_durability(connection):  # the only other copy is about to be removed
        for path in [*places.drained(database), *relocation.moved_spools(connection)]:
            try:
                for waiting in _claimed(path):
                    _drain_file(connection, path, waiting, result)
            except OSError as fault:
                raise OutcomesError(f"cannot drain {path}: {fault.strerror or fault}") from fault
    return result


def waiting_files(database: Path) -> list[Path]:
    """The files in which outcomes of a database wait, those of a drain that was killed among them."""
    spools = places.drained(database)
    left = (each for path in spools for each in sorted(path.parent.glob(f"{glob.escape(path.name)}.*.draining")))
    return [path for path in (*spools, *left) if path.is_file()]


def _drain_file(connection: sqlite3.Connection, spool: Path, waiting: Path, result: DrainResult) -> None:
    with waiting.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        source = sources.Source(str(spool), "jsonl", stream, is_final=True, size=size)
        loaded = loading.load_source(connection, source, rejects_kept=None)
    waiting.unlink()
    result.accepted += loaded.accepted
    result.duplicates += loaded.duplicates
    result.rejected += loaded.rejected
    if spool not in result.files:
        result.files.append(spool)


def _append(path: Path, line: bytes) -> None:
    with _locked(path, os.O_RDWR | os.O_APPEND | os.O_CREAT) as file:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise OSError(errno.EINVAL, "not a file")
        # A line that was cut off, by a power failure say, must not spoil this one.
        is_cut_off = found.st_size > 0 and os.pread(file, 1, found.st_size - 1) != b"\n"
        text = b"\n" + line if is_cut_off else line
        try:
            if os.write(file, text) < len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(file, found.st_size)
            raise
        if found.st_size == 0:
            _sync_folder(path.parent)


def _claimed(path: Path) -> Iterator[Path]:
    """The files of a spool that are this drain's to read, each held until the next is asked for:
    those that killed drains left behind, then the spool itself, under a name of its own."""
    for left in sorted(path.parent.glob(f"{glob.escape(path.name)}.*.draining")):
        with suppress(FileNotFoundError, BlockingIOError), _locked(left, os.O_RDONLY, patience=0):
            yield left
    name = path.with_name(f"{path.name}.{time.time_ns()}-{os.getpid()}.draining")
    with suppress(FileNotFoundError), _locked(path, os.O_RDONLY):
        path.rename(name)
        yield name


@contextmanager
def _locked(path: Path, flags: int, patience: float = PATIENCE) -> Iterator[int]:
    """The file at `path`, open and locked; BlockingIOError where others hold it for too long."""
    file = _lock(path, flags, time.monotonic() + patience)
    try:
        yield file
    finally:
        os.close(file)


def _lock(path: Path, flags: int, deadline: float) -> int:
    """A drain that has renamed the file meanwhile, and keeps its lock, is not waited for: the path
    is opened afresh."""
    while True:
        file = os.open(path, flags | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(file), path.stat()):
                return file
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(file)
                raise
            time.sleep(0.001)
        except FileNotFoundError:
            pass  # drained a moment ago
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(file)
    finally:
        os.close(file)
