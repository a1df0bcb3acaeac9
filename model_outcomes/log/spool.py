"""Spools: outcomes that the database could not take wait in a JSON Lines file until they are drained.

An outcome is appended with one write under a kernel lock and synced before it is acknowledged. A drain renames the file
under that lock, so that no line is added while it reads, and removes the file when the database has every line. If a
drain is killed, the next one finds the renamed file. The file's content and the event_id of each outcome show what the
database has already.

A drain removes spools, so it takes only our own files: those with a name that we chose, or with a first line of ours.
"""

from __future__ import annotations

import errno
import fcntl
import glob
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from model_outcomes.base import disk, paths
from model_outcomes.base.errors import NotKeptError
from model_outcomes.log.corrections import Correction
from model_outcomes.log.outcome import Outcome, new_event_id, not_unicode

LOCK_WAIT_S = 2.0  # a lock is held for one write, so nobody should wait that long
LOCK_POLL_S = 0.001
NAME_LIMIT_BYTES = 255  # on most file systems
CLAIM = ".draining"  # the end of a spool's name while it is drained
CLAIM_BYTES = 40  # by which that name is longer than the spool's
HEAD_BYTES = 65_536  # within which the first line of a spool ends
LINE_STARTS = b'{"task_type":"', b'{"verdict":"'  # of an outcome, of a correction
ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
_decoders = msgspec.json.Decoder(Outcome), msgspec.json.Decoder(Correction)


def append(database: Path, *outcomes: Outcome | Correction) -> Path:
    """Append outcomes for a database, or corrections that name an event_id, to the first of its spools that takes them,
    and return the path of the spool.

    They are on the disk on return. An outcome without an event_id gets one, so that it counts once however
    often it is drained. Raises NotKeptError, with the outcomes as JSON Lines, if no spool can be written,
    InvalidOutcome if a field is not Unicode text.
    """
    return _append_to_first(paths.spools(database), outcomes, database)


def append_unsettled(outcome: Outcome) -> Path:
    """Append an outcome as `append`, for the case that outcomes.toml, which names the database, cannot be read."""
    path = paths.unsettled_spool()
    return _append_to_first([path] if path else [], [outcome])


def _append_to_first(
    spools: Sequence[Path], outcomes: Sequence[Outcome | Correction], database: Path | None = None
) -> Path:
    text = b"".join(_encoded(outcome) for outcome in outcomes)
    faults = []
    for path in spools:
        try:
            # Only `loader init` creates the folder of the database.
            if database is None or path.parent != database.parent:
                path.parent.mkdir(parents=True, exist_ok=True)
            _append(path, text, database)
        except OSError as fault:
            faults.append(f"{path}: {fault.strerror}")
        except Exception as fault:
            faults.append(f"{path}: {type(fault).__name__}: {fault}")
        else:
            if database and path.parent == paths.state_folder():
                _note_database(database, path)
            return path
    raise NotKeptError(
        f"the outcome could be kept nowhere ({'; '.join(faults) or 'there is no home folder'})", text.decode().rstrip()
    )


def _note_database(database: Path, path: Path) -> None:
    """Note which log a spool in the state folder is for, so that a drain finds it after the database has moved. If that
    fails, the outcome is still kept."""
    with suppress(Exception):  # an ImportError while Python ends, for example
        from model_outcomes.log import relocation

        relocation.note(database, path)


def waiting_files(database: Path) -> list[Path]:
    """Return the files in which outcomes of a database wait, including those of killed drains."""
    spools = [path for path in paths.drained(database) if not foreign(database, path)]
    return [path for path in (*spools, *(left for path in spools for left in _left_by_drains(path))) if _is_file(path)]


def foreign(database: Path, path: Path) -> str | None:
    """Return why the file at a spool's path is no spool, None if it is one or could become one."""
    try:
        with _opened(path, os.O_RDONLY) as file:
            _refuse_foreign(file, path, database)
    except OSError as fault:
        return None if fault.errno in ABSENT else f"{path}: {fault.strerror}"
    return None


def as_json(outcome: Outcome | Correction) -> str:
    """Return all of an outcome or a correction as text, for a program's log."""
    return _encoded(outcome).decode().rstrip()


def _encoded(outcome: Outcome | Correction) -> bytes:
    if isinstance(outcome, Outcome) and outcome.event_id is None:
        outcome = msgspec.structs.replace(outcome, event_id=new_event_id())
    fields = {name: value for name, value in msgspec.structs.asdict(outcome).items() if value is not None}
    try:
        return msgspec.json.encode(fields, enc_hook=str.__str__) + b"\n"  # the hook encodes subclasses of str
    except UnicodeEncodeError:
        if isinstance(outcome, Correction):
            raise  # checked before
        raise not_unicode(outcome) from None


def _append(path: Path, text: bytes, database: Path | None) -> None:
    if len(os.fsencode(path.name)) > NAME_LIMIT_BYTES - CLAIM_BYTES:
        raise OSError(errno.ENAMETOOLONG, "the name is too long for a spool")
    with _locked(path, os.O_RDWR | os.O_APPEND | os.O_CREAT) as file:
        if database:
            _refuse_foreign(file, path, database)
        size = os.fstat(file).st_size
        # If a power failure cut off the last line, begin a new one.
        is_cut_off = size > 0 and os.pread(file, 1, size - 1) != b"\n"
        text = b"\n" + text if is_cut_off else text
        try:
            if os.write(file, text) < len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            os.fsync(file)
        except OSError:
            with suppress(OSError):
                os.ftruncate(file, size)
            raise
        if size == 0:
            disk.sync(path.parent)


def _refuse_foreign(file: int, path: Path, database: Path) -> None:
    """Raise OSError unless an open file is a spool or may become one."""
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise OSError(errno.EINVAL, "is not a file")
    real = os.path.realpath(path)
    if real in {os.path.realpath(database) + suffix for suffix in ("", *paths.SIDE_FILES)}:
        raise OSError(errno.EINVAL, "is the database itself, not a spool: name another file in OUTCOMES_SPOOL")
    if path in paths.own_spools(database):
        return
    head = os.pread(file, HEAD_BYTES, 0)
    if head.strip(b"\r\n") and not _is_our_line(head.lstrip(b"\r\n").partition(b"\n")[0]):
        raise OSError(errno.EINVAL, "is no spool (another program wrote it): name another file in OUTCOMES_SPOOL")


def _is_our_line(line: bytes) -> bool:
    """Return True if `append` wrote the line, or its beginning."""
    for decoder in _decoders:
        try:
            outcome = decoder.decode(line)
        except msgspec.ValidationError:
            continue
        except (msgspec.DecodeError, UnicodeDecodeError):
            return any(line.startswith(start) or start.startswith(line) for start in LINE_STARTS)
        return outcome.event_id is not None and _encoded(outcome) == line + b"\n"
    return False


def claimed(path: Path, database: Path) -> Iterator[Path]:
    """Yield the files of a spool for this drain to read: those that killed drains left, then the spool itself under a
    new name. Each is locked until the next is requested."""
    for left in _left_by_drains(path):
        with suppress(FileNotFoundError, BlockingIOError), _locked(left, os.O_RDONLY, wait_s=0):
            yield left
    name = path.with_name(f"{path.name}.{time.time_ns():x}-{os.getpid():x}{CLAIM}")
    try:
        with _locked(path, os.O_RDONLY) as file:
            _refuse_foreign(file, path, database)
            path.rename(name)
            yield name
    except OSError as fault:
        if fault.errno not in ABSENT:
            raise


def _left_by_drains(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{glob.escape(path.name)}.*{CLAIM}"))


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises if the folder may not be read


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    # Not blocking, because a FIFO would wait for its other end.
    file = os.open(path, flags | os.O_CLOEXEC | os.O_NONBLOCK, 0o600)
    try:
        yield file
    finally:
        os.close(file)


@contextmanager
def _locked(path: Path, flags: int, wait_s: float = LOCK_WAIT_S) -> Iterator[int]:
    """Yield the file at `path`, open and locked. Raises BlockingIOError if others hold it for too long.

    If a drain has renamed the file and keeps its lock, the path is opened again.
    """
    deadline = time.monotonic() + wait_s
    while True:
        with _opened(path, flags) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                is_current = os.path.samestat(os.fstat(file), path.stat())
            except FileNotFoundError:
                continue  # drained a moment ago
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise
                is_current = False
                time.sleep(LOCK_POLL_S)
            if is_current:
                yield file
                return
