"""Opening a file of outcomes: its format is detected, and its content becomes lines that can be read from any byte.

A JSON array is first copied with one element a line, as are objects of several lines. A .gz is unpacked, UTF-16
decoded. Pipes are copied, because they cannot seek.
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
from model_outcomes.intake import csv_header, json_arrays, mapping, recognition
from model_outcomes.intake.decoding import UnfinishedError, copied, decoded
from model_outcomes.intake.sources import BOM, LINE_LIMIT_BYTES, Source

BEGINNING_BYTES = 4_096


@contextmanager
def open_source(
    name: str,
    format: str | None,
    *,
    is_final: bool = False,
    file: BinaryIO | None = None,
    is_settled: bool = True,
    is_checked: bool = True,
    refuses_tools: bool = True,
) -> Iterator[Source]:
    """Open a file, or standard input (`-`), detect its format, and check its content against the format.

    The content is not compared with the fields of an outcome unless it `is_checked`. The file of another tool is
    refused if it `refuses_tools`.
    `file` is the open file, if the caller has opened it. If not `is_settled`, a program may still be writing the file:
    a .gz that ends too early raises UnfinishedError (a JSON array always does). Raises OutcomesError, which names
    the file and the fault.
    """
    path = paths.source_name(name)
    try:
        with ExitStack() as stack:
            raw, is_copy = stack.enter_context(_open(name, file))
            stream, is_packed, damage = stack.enter_context(_unpacked(raw, path, is_settled))
            if refuses_tools:
                mapping.refuse_tools(path, stream)
            stream = stack.enter_context(decoded(stream, path, is_settled))
            beginning = _beginning(stream)
            format = format or _format_of(name, beginning)
            if format == "json" and beginning.lstrip()[:1] != b"{":
                stream = stack.enter_context(_values_as_lines(stream, path, "a JSON array"))
                is_final = True
            elif format != "csv" and recognition.is_pretty(beginning):
                stream = stack.enter_context(_values_as_lines(stream, path, "JSON"))
                is_final = True
            elif _suffix(name) == ".json" and recognition.is_whole(_beginning(stream, LINE_LIMIT_BYTES + 1)):
                is_final = True
            _check_content(stream, format, path, is_checked)
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
        with copied(sys.stdin.buffer) as copy:
            yield copy, True
    else:
        # Unbuffered, because a buffered open asks for the position, which a pipe has not.
        with Path(name).open("rb", buffering=0) as raw:
            if stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
                yield cast(BinaryIO, io.BufferedReader(raw)), False
                return
            refuse_device(raw.fileno())
            with copied(cast(BinaryIO, raw)) as copy:
                yield copy, True


def refuse_device(descriptor: int) -> None:
    """Raise OSError for a device, such as a disk or the endless /dev/zero. Terminals and /dev/null are accepted."""
    status = os.fstat(descriptor)
    is_null = status.st_rdev == Path(os.devnull).stat().st_rdev
    if stat.S_ISBLK(status.st_mode) or (stat.S_ISCHR(status.st_mode) and not is_null and not os.isatty(descriptor)):
        raise OSError(errno.EINVAL, "is a device, not a file")


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
def _values_as_lines(stream: BinaryIO, path: str, kind: str) -> Iterator[BinaryIO]:
    """Yield a copy of a JSON array, or of JSON objects one after the other, with one value a line."""
    write = json_arrays.write_lines if kind == "a JSON array" else json_arrays.write_objects
    stream.seek(0)
    with tempfile.TemporaryFile() as lines:
        try:
            write(stream, lines)
        except EOFError as fault:
            raise UnfinishedError(f"{path} is not {kind}: {fault}") from None
        except ValueError as fault:
            raise OutcomesError(f"{path} is not {kind}: {fault}") from None
        lines.seek(0)
        yield cast(BinaryIO, lines)


def _format_of(name: str, beginning: bytes) -> str:
    """Return the format that the content shows or, if it shows none, that of the name."""
    suffix = _suffix(name)
    if recognition.is_array(beginning):
        return "json"
    if beginning.lstrip()[:1] == b"{":
        return "jsonl"
    if suffix == ".jsonl" or suffix == ".ndjson":
        names = csv_header.names_of(beginning.decode("utf-8", "replace"))
        return "csv" if recognition.has_outcome_field(names) else "jsonl"
    if not beginning.strip():
        return "csv" if suffix in (".csv", ".tsv") else "jsonl"
    return "json" if suffix != ".csv" and beginning.lstrip()[:1] == b"[" else "csv"


def _suffix(name: str) -> str:
    return Path(name.removesuffix(".gz")).suffix.lower()


def _beginning(stream: BinaryIO, length: int = BEGINNING_BYTES) -> bytes:
    stream.seek(0)
    beginning = stream.read(length)
    stream.seek(0)
    return beginning.removeprefix(BOM)


def _check_content(stream: BinaryIO, format: str, path: str, is_checked: bool) -> None:
    """Raise OutcomesError if the content is not of the format or, if it `is_checked`, no object in it is meant as an
    outcome."""
    beginning = _beginning(stream)
    if words := recognition.foreign(beginning):
        raise OutcomesError(f"{path} {words}")
    if format != "csv" and any(line.lstrip().startswith(b"{") for line in beginning.splitlines()):
        # NULs may be in it after a crash.
        if is_checked and (words := recognition.refusal(_beginning(stream, LINE_LIMIT_BYTES + len(BOM) + 1))):
            raise OutcomesError(f"{path} {words}")
        return
    if b"\0" in beginning:
        raise OutcomesError(f"{path} is binary, not {format}")
    if format == "jsonl" and beginning.strip():
        raise OutcomesError(f"{path} is not JSON Lines: no line of it begins with {{")
