"""One at a time: locks that end with the process that holds them, and say who that is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import filelock

from loader import store
from loader.errors import BusyError, OutcomesError


@contextmanager
def exclusive(path: Path, purpose: str, *, wait: float = 0.0) -> Iterator[None]:
    """Hold the lock at `path` for the block; after `wait` seconds without it, BusyError names
    the holder. The lock is the kernel's: a killed process leaves none behind."""
    holder = path.with_suffix(".holder.json")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(path, timeout=wait)
        lock.acquire()
    except filelock.Timeout:
        raise BusyError(f"busy: {_said_by(holder)} holds {path.absolute()}; try again later") from None
    except OSError as fault:
        raise OutcomesError(f"cannot lock {path.absolute()}: {fault.strerror}") from None
    try:
        _say(holder, purpose)
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def holder(path: Path) -> dict[str, str | int] | None:
    """Who holds the lock at `path` now (`pid`, `purpose`, `since`); None where nobody does."""
    if not path.exists():
        return None
    lock = filelock.FileLock(path, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        said = _read(path.with_suffix(".holder.json"))
        return {name: said[name] for name in ("pid", "purpose", "since") if name in said}
    except OSError:
        return None
    lock.release()
    return None


def _say(holder: Path, purpose: str) -> None:
    said = {"pid": os.getpid(), "purpose": purpose, "since": store.to_text(store.utc_now())}
    temporary = holder.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(said), encoding="utf-8")
    temporary.replace(holder)


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
