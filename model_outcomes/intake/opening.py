"""Opening a file of outcomes: its format is detected, and its content becomes lines that can be read from any byte.

A JSON array is first copied with one element a line, and a .gz unpacked. Pipes are copied, because they cannot seek.
"""

from __future__ import annotations

import errno
import gzip
import io
import os
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from model_outcomes.base import paths
from model_outcomes.base.errors import OutcomesError, UnreadableError
from model_outcomes.intake import json_arrays
from model_outcomes.intake.sources import BOM, Source

_SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}


class UnfinishedError(OutcomesError):
    """A file ends too early: its writer has not finished it yet, or it is damaged."""


@contextmanager
def open_source(
    name: str,
    format: str | None,
    *,
    is_final: bool = False,
    file: BinaryIO | None = None,
    is_settled: bool = True,
) -> Iterator[Source]:
    """Open a file, or standard input (`-`), detect its format, and check its content against the format.

    `file` is the open file, if the caller has opened it. If not `is_settled`, a program may still be writing the file:
    a .gz that ends too early raises UnfinishedError (a JSON array always does). Raises OutcomesError, which names
    the file and the fault.
    """
    path = paths.source_name(name)
    try:
        with ExitStack() as stack:
            raw, is_copy = stack.enter_context(_open(name, file))
            stream, is_packed, damage = stack.enter_context(_unpacked(raw, path, is_settled))
            format = format or _format_of(name, stream)
            if format == "json":
                stream = stack.enter_context(_array_as_lines(stream, path))
                is_final = True
            _check_content(stream, format, path)
            is_final = is_final or is_packed or is_copy
            yield Source(path, format, stream, is_final, stream.seek(0, io.SEEK_END), damage)
    except OSError as fault:
        raise UnreadableError(f"{path}: {fault.strerror or fault}") from None


@contextmanager
def _open(name: str, file: BinaryIO | None) -> Iterator[tuple[BinaryIO, bool]]:
    """Yield the file, and True if it is a copy: a pipe cannot seek."""
    if file is not None:
        yield file, False
    elif name == "-":
        with _copy(sys.stdin.buffer) as copy:
            yield copy, True
    else:
        # Unbuffered, because a buffered open asks for the position, which a pipe has not.
        with Path(name).open("rb", buffering=0) as raw:
            if stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
                yield cast(BinaryIO, io.BufferedReader(raw)), False
                return
            refuse_device(raw.fileno())
            with _copy(cast(BinaryIO, raw)) as copy:
                yield copy, True


def refuse_device(descriptor: int) -> None:
    """Raise OSError for a device, such as a disk or the endless /dev/zero. Terminals and /dev/null are accepted."""
    status = os.fstat(descriptor)
    is_null = status.st_rdev == Path(os.devnull).stat().st_rdev
    if stat.S_ISBLK(status.st_mode) or (stat.S_ISCHR(status.st_mode) and not is_null and not os.isatty(descriptor)):
        raise OSError(errno.EINVAL, "is a device, not a file")


@contextmanager
def _copy(stream: BinaryIO) -> Iterator[BinaryIO]:
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield cast(BinaryIO, copy)


@contextmanager
def _unpacked(raw: BinaryIO, path: str, is_settled: bool) -> Iterator[tuple[BinaryIO, bool, str | None]]:
    """Yield the stream itself or an unpacked copy of a .gz, True if it is such a copy, and its damage."""
    is_packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    if not is_packed:
        yield raw, False, None
        return
    damage = None
    with tempfile.TemporaryFile() as copy:
        try:
            with gzip.open(raw, "rb") as unpacked:
                shutil.copyfileobj(unpacked, copy)
        except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
            damage = f"the .gz is damaged: {fault}"
            if isinstance(fault, EOFError) and not is_settled:
                raise UnfinishedError(f"{path}: {damage}") from None
            copy.seek(0)
            if not copy.readline().endswith(b"\n"):
                raise OutcomesError(f"{path}: {damage}") from None
        copy.seek(0)
        yield cast(BinaryIO, copy), True, damage


@contextmanager
def _array_as_lines(stream: BinaryIO, path: str) -> Iterator[BinaryIO]:
    """Yield a copy of a JSON array with one element a line."""
    with tempfile.TemporaryFile() as lines:
        try:
            json_arrays.write_lines(stream, lines)
        except EOFError as fault:
            raise UnfinishedError(f"{path} is not a JSON array: {fault}") from None
        except ValueError as fault:
            raise OutcomesError(f"{path} is not a JSON array: {fault}") from None
        lines.seek(0)
        yield cast(BinaryIO, lines)


def _format_of(name: str, stream: BinaryIO) -> str:
    """Return the format, by the suffix of the name if it has one, else by the first character of the content."""
    suffix = Path(name.removesuffix(".gz")).suffix.lower()
    first = _beginning(stream).lstrip()[:1]
    if suffix in _SUFFIXES:
        return _SUFFIXES[suffix]
    return {b"[": "json", b"{": "jsonl", b"": "jsonl"}.get(first, "csv")


def _beginning(stream: BinaryIO) -> bytes:
    stream.seek(0)
    beginning = stream.read(4096)
    stream.seek(0)
    return beginning.removeprefix(BOM)


def _check_content(stream: BinaryIO, format: str, path: str) -> None:
    beginning = _beginning(stream)
    if format == "jsonl" and any(line.lstrip().startswith(b"{") for line in beginning.splitlines()):
        return  # a crash may have left NULs in it
    if b"\0" in beginning:
        raise OutcomesError(f"{path} is binary, not {format}")
    if format == "jsonl" and beginning.strip():
        raise OutcomesError(f"{path} is not JSON Lines: no line of it begins with {{")
