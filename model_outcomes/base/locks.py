"""Locks that end with the process that holds them, and name their holder."""

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
    """Hold the lock at `path` for the block. After `wait` seconds without it, BusyError names the holder. The kernel
    releases the lock of a killed process."""
    note = paths.holder_note(path)
    try:
        path.parent.mkdir(0o700, parents=True, exist_ok=True)
        lock = filelock.FileLock(path, timeout=wait, mode=0o600)
        lock.acquire()
    except filelock.Timeout:
        raise BusyError(f"busy: {_holder_text(note)} holds {path.absolute()}; try again later") from None
    except OSError as fault:
        raise OutcomesError(f"cannot lock {path.absolute()}: {fault.strerror}") from None
    try:
        _write_note(note, purpose)
        yield
    finally:
        with suppress(OSError):
            note.unlink(missing_ok=True)
        lock.release()


def holder(path: Path) -> dict[str, str | int] | None:
    """Return the present holder of the lock at `path` (`pid`, `purpose`, `since`), None if it is free."""
    if not path.exists():
        return None
    lock = filelock.FileLock(path, timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        content = _read_note(paths.holder_note(path))
        return {name: content[name] for name in ("pid", "purpose", "since") if name in content}
    except OSError:
        return None
    lock.release()
    return None


def _write_note(note: Path, purpose: str) -> None:
    content = {"pid": os.getpid(), "purpose": purpose, "since": clock.now_text()}
    try:
        with outputs.replacing(note, is_private=True) as unfinished:
            unfinished.write_text(json.dumps(content), encoding="utf-8")
    except OutcomesError:  # on a full disk the lock is held without a note
        with suppress(OSError):
            note.unlink(missing_ok=True)


def _holder_text(note: Path) -> str:
    content = _read_note(note)
    try:
        return f"{content['purpose']} (process {content['pid']}, since {content['since']})"
    except KeyError:
        return "another process"


def _read_note(note: Path) -> dict[str, str | int]:
    try:
        content = json.loads(note.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
