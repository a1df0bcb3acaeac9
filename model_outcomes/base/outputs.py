"""The files that commands write: `check` says which path they may write to, `replacing` writes a whole file.

A command calls `check` before it does any work. A file that it then writes appears complete or not at all.
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
from model_outcomes.base.connection import is_in_wal_mode
from model_outcomes.base.errors import OutcomesError
from model_outcomes.base.paths import SIDE_FILES

SQLITE_MAGIC = b"SQLite format 3\0"
ABANDONED_AFTER_S = 3600.0  # a killed command left an unfinished file that has not changed for so long
PREFIX_CHARACTERS = 50  # of the file's name, in the name of the unfinished file
PAGE_START_BYTES = 4096


def check(path: Path, database: Path, thing: str, is_ours: Callable[[Path], bool], *, is_folder: bool = False) -> Path:
    """Return the file or folder that a command may write for `path`: absolute, links followed.

    The path may be missing or empty, or an earlier call of this command wrote it: then `is_ours` returns True for it.
    `thing` names the output in messages ("report"). Raises OutcomesError for the database, its own files, other
    databases, other files, and links to a missing file.
    """
    absolute, resolved = Path(os.path.abspath(path)), Path(os.path.realpath(path))  # noqa: PTH100 - as paths.absolute
    name = "folder" if is_folder else "file"
    try:
        _refuse_side_file(absolute, resolved)
        _refuse_own(absolute, resolved, database)
        if absolute.is_symlink() and not resolved.exists():
            raise OutcomesError(f"{absolute} is a link to a missing file: remove it, or name another {name}")
        if not resolved.exists():
            return resolved
        if resolved.is_dir() and not is_folder:
            raise OutcomesError(f"cannot write {absolute}: {absolute} is a folder: name a file")
        if not resolved.is_dir() and not resolved.is_file():
            raise OutcomesError(f"cannot write {absolute}: it is neither a file nor a folder: name another {name}")
        if _is_empty(resolved) and resolved.is_dir() == is_folder:
            return resolved
        if resolved.is_dir() == is_folder and is_ours(resolved):
            return resolved
        if is_sqlite(resolved):
            raise OutcomesError(f"{absolute} is a database: name another {name}")
        raise OutcomesError(f"{absolute} exists and is no {thing}: name another {name}, or remove this one")
    except OSError as fault:
        raise OutcomesError(f"cannot write {absolute}: {fault.strerror}") from None


@contextmanager
def replacing(path: Path, *, is_private: bool = False) -> Iterator[Path]:
    """Yield a new file, which the block fills and which then replaces `path`.

    If the block fails, `path` stays as it was. After the block the content is on the disk. The new file has the
    permissions of the old one; without an old one those of the umask, or only the owner's (`is_private`). Raises
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
    """Return the tag that marks an HTML page as ours. `kind` is one word."""
    return f'<meta name="generator" content="model-outcomes {kind}">'


def is_page(path: Path, kind: str) -> bool:
    """Return True if the file is an HTML page with our `mark` near its beginning."""
    return mark(kind).encode() in _start(path, PAGE_START_BYTES)


def is_sqlite(path: Path) -> bool:
    """Return True if the file begins as an SQLite database, False also if it cannot be read."""
    try:
        return path.is_file() and _start(path, len(SQLITE_MAGIC)) == SQLITE_MAGIC
    except OSError:
        return False


def is_in_use(path: Path) -> bool:
    """Return True if a program may be writing to an SQLite database: it is in WAL mode, or SQLite has a file beside it.

    Backups and snapshots are single files in another mode.
    """
    return is_in_wal_mode(path) or any(Path(f"{path}{suffix}").exists() for suffix in SIDE_FILES)


def _refuse_own(absolute: Path, resolved: Path, database: Path) -> None:
    """Raise OutcomesError for the database, and for each file and folder that belongs to it."""
    real = Path(os.path.realpath(database))
    if resolved == real or _is_same_file(resolved, real):
        raise OutcomesError(f"{absolute} is a database: name another file (this is the database itself)")
    for own in paths.belongings(database):
        if resolved == own or own in resolved.parents or _is_same_file(resolved, own):
            raise OutcomesError(f"{absolute} belongs to the database {database}: name another file")


def _refuse_side_file(absolute: Path, resolved: Path) -> None:
    """Raise OutcomesError for a file that SQLite keeps beside a database, or would keep there."""
    for path in (absolute, resolved):
        for suffix in SIDE_FILES:
            if path.name.endswith(suffix) and is_sqlite(path.with_name(path.name.removesuffix(suffix))):
                raise OutcomesError(f"{absolute} is a database: name another file")


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
    """Create an empty file under a random name, at which no other user can have put a link."""
    unfinished = path.with_name(f"{_prefix(path)}{os.urandom(8).hex()}.unfinished")
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(unfinished, flags, 0o600 if is_private else 0o666)
    try:
        with suppress(OSError):  # there is no old file, or it belongs to another user
            os.fchmod(descriptor, stat.S_IMODE(path.stat().st_mode))
    finally:
        os.close(descriptor)
    return unfinished


def _remove_abandoned(path: Path) -> None:
    """Remove the unfinished files of killed commands. A running command changes its file within the hour."""
    for left in path.parent.glob(f"{glob.escape(_prefix(path))}*.unfinished*"):
        with suppress(OSError):
            if time.time() - left.lstat().st_mtime > ABANDONED_AFTER_S:
                left.unlink()


def _prefix(path: Path) -> str:
    return f".{path.name[:PREFIX_CHARACTERS]}."  # a name may be 255 bytes long
