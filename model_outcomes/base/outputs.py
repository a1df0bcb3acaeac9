"""The files that commands write: which paths they may write to, and the one way to write a whole file.

A command calls `check` before it does any work. What it then writes appears whole or not at all (`replacing`).
"""

from __future__ import annotations

import glob
import os
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from model_outcomes.base import disk, paths
from model_outcomes.base.errors import OutcomesError

SQLITE_MAGIC = b"SQLite format 3\0"
SIDE_FILES = ("-wal", "-shm", "-journal")  # SQLite keeps these beside a database
ABANDONED_AFTER_S = 3600.0  # a half-written file without a change for so long was left by a killed command
PAGE_START_BYTES = 4096


def check(path: Path, database: Path, thing: str, is_ours: Callable[[Path], bool], *, is_folder: bool = False) -> Path:
    """Return the file or folder that a command may write when it is given `path`: absolute, links followed.

    The path may be missing, empty, or what an earlier call of this command wrote: then `is_ours` returns True
    for it. `thing` names this in messages ("report"). Raises OutcomesError for everything
    else: the database, what belongs to it, other databases, other files, links that lead nowhere.
    """
    given, resolved = Path(os.path.abspath(path)), Path(os.path.realpath(path))  # noqa: PTH100 - as paths.absolute
    name = "folder" if is_folder else "file"
    try:
        _refuse_side_file(given, resolved)
        _refuse_own(given, resolved, database)
        if given.is_symlink() and not resolved.exists():
            raise OutcomesError(f"{given} is a link that leads nowhere: remove it, or name another {name}")
        if not resolved.exists():
            return resolved
        if resolved.is_dir() and not is_folder:
            raise OutcomesError(f"cannot write {given}: {given} is a folder: name a file")
        if not resolved.is_dir() and not resolved.is_file():
            raise OutcomesError(f"cannot write {given}: it is neither a file nor a folder: name another {name}")
        if _is_empty(resolved) and resolved.is_dir() == is_folder:
            return resolved
        if resolved.is_dir() == is_folder and is_ours(resolved):
            return resolved
        if is_sqlite(resolved):
            raise OutcomesError(f"{given} is a database: name another {name}")
        raise OutcomesError(f"{given} exists and is no {thing}: name another {name}, or remove this one")
    except OSError as fault:
        raise OutcomesError(f"cannot write {given}: {fault.strerror}") from None


@contextmanager
def replacing(path: Path, *, is_private: bool = False) -> Iterator[Path]:
    """Write a whole file: the block fills the new file that it is given, which then takes the place of `path`.

    If the block fails, `path` stays as it was. On return the content is on the disk. The new file gets
    the permissions of an existing one; else those of the umask, or the owner's alone (`is_private`). Raises
    OutcomesError if the file cannot be written.
    """
    try:
        _remove_abandoned(path)
        unfinished = _create_beside(path, is_private=is_private)
        try:
            yield unfinished
            disk.sync(unfinished)
            unfinished.replace(path)
            disk.sync(path.parent)
        finally:
            with suppress(OSError):
                for left in (unfinished, *(Path(f"{unfinished}{suffix}") for suffix in SIDE_FILES)):
                    left.unlink(missing_ok=True)
    except OSError as fault:
        raise OutcomesError(f"cannot write {path}: {fault.strerror or fault}") from None


def mark(kind: str) -> str:
    """Return the tag by which an HTML page says that this product wrote it; `kind` is one word."""
    return f'<meta name="generator" content="model-outcomes {kind}">'


def is_page(path: Path, kind: str) -> bool:
    """Return whether the file is an HTML page with our `mark` near its beginning."""
    return mark(kind).encode() in _start(path, PAGE_START_BYTES)


def is_sqlite(path: Path) -> bool:
    """Return whether the file begins as an SQLite database does; False if it cannot be read."""
    try:
        return path.is_file() and _start(path, len(SQLITE_MAGIC)) == SQLITE_MAGIC
    except OSError:
        return False


def is_in_use(path: Path) -> bool:
    """Return whether a program may write to an SQLite database: it is in WAL mode, or has a file of SQLite beside it.

    Backups and snapshots are not: they are one file, in the mode that needs no other.
    """
    start = _start(path, 20)  # bytes 18 and 19 are 2 in WAL mode: https://sqlite.org/fileformat.html
    return start[18:20] == b"\2\2" or any(Path(f"{path}{suffix}").exists() for suffix in SIDE_FILES)


def _refuse_own(given: Path, resolved: Path, database: Path) -> None:
    """Raise OutcomesError for the database, and for each file and folder that belongs to it."""
    real = Path(os.path.realpath(database))
    if resolved == real or _is_same_file(resolved, real):
        raise OutcomesError(f"{given} is a database: name another file (this is the database itself)")
    for own in paths.belongings(database):
        if resolved == own or own in resolved.parents or _is_same_file(resolved, own):
            raise OutcomesError(f"{given} belongs to the database {database}: name another file")


def _refuse_side_file(given: Path, resolved: Path) -> None:
    """Raise OutcomesError for a file that SQLite keeps, or would keep, beside any database."""
    for path in (given, resolved):
        for suffix in SIDE_FILES:
            if path.name.endswith(suffix) and is_sqlite(path.with_name(path.name.removesuffix(suffix))):
                raise OutcomesError(f"{given} is a database: name another file")


def _is_same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _is_empty(path: Path) -> bool:
    return not any(path.iterdir()) if path.is_dir() else path.stat().st_size == 0


def _start(path: Path, size_bytes: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size_bytes)


def _create_beside(path: Path, *, is_private: bool) -> Path:
    """Create an empty file under a random name, so that nobody can have put a link there."""
    unfinished = path.with_name(f"{_prefix(path)}{os.urandom(8).hex()}.unfinished")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(unfinished, flags, 0o600 if is_private else 0o666)
    try:
        with suppress(OSError):  # there is no older file, or it is somebody else's
            os.fchmod(descriptor, stat.S_IMODE(path.stat().st_mode))
    finally:
        os.close(descriptor)
    return unfinished


def _remove_abandoned(path: Path) -> None:
    """Remove the unfinished files that killed commands left. A running command changes its file within the hour."""
    for left in path.parent.glob(f"{glob.escape(_prefix(path))}*.unfinished*"):
        with suppress(OSError):
            if time.time() - left.lstat().st_mtime > ABANDONED_AFTER_S:
                left.unlink()


def _prefix(path: Path) -> str:
    return f".{path.name[:50]}."  # a name may be 255 bytes long
