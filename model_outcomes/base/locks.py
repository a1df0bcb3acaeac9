"""One at a time: locks that end with the process that holds them, and say who that is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from model_outcomes.base import clock, outputs, paths
from model_outcomes.base.errors import BusyError, OutcomesError


@contextmanager
def exclusive(path: Path, purpose: str, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock at `path` for the block; after `wait` seconds without it, BusyError names
    the holder. The lock is the kernel's: a killed process leaves none behind."""
    holder = paths.holder_note(path)
    try:
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        lock = filelock.FileLock(path, timeout=wait, mode=0o600)
        lock.acquire()
    except filelock.Timeout:
        raise BusyError(f"busy: {_said_by(holder)} holds {path.absolute()}; try again later") from None
    except OSError as fault:
        raise OutcomesError(f"cannot lock {path.absolute()}: {fault.strerror}") from None
    try:
        _say(holder, purpose)
        yield
    finally:
        with suppress(OSError):
            holder.unlink(missing_ok=True)
        lock.release()


def holder(path: Path) -> dict[str, str | int] | None:
    """Return who holds the lock at `path` now (`pid`, `purpose`, `since`); None if nobody does."""
    if not path.exists():
        return None
    lock = filelock.FileLock(path, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        said = _read(paths.holder_note(path))
        return {name: said[name] for name in ("pid", "purpose", "since") if name in said}
    except OSError:
        return None
    lock.release()
    return None


def _say(holder: Path, purpose: str) -> None:
    """Write who holds a lock and why."""
    said = {"pid": os.getpid(), "purpose": purpose, "since": clock.to_text(clock.utc_now())}
    try:
        with outputs.replacing(holder, is_private=True) as unfinished:
            unfinished.write_text(json.dumps(said), encoding="utf-8")
    except OutcomesError:  # a full disk, say: the lock is held all the same, by nobody that the note could name
        with suppress(OSError):
            holder.unlink(missing_ok=True)


def _said_by(holder: Path) -> str:
    said = _read(holder)
    try:
        return f"{said['purpose']} (process {said['pid']}, since {said['since']})"
    except KeyError:
        return "another process"


def _read(holder: Path) -> dict[str, str | int]:
    try:
        said = json.loads(holder.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}
