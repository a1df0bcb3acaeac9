"""Files of outcomes: their format, and their lines in blocks with byte offsets.

Every format is read as lines with byte offsets, so that a load can stop anywhere and continue there. A JSON array is
first copied with one element a line. Offsets in a .gz count unpacked bytes.
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import os
import re
import shutil
import stat
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from model_outcomes.base import paths
from model_outcomes.base.errors import OutcomesError, UnreadableError
from model_outcomes.intake import json_arrays, mapping

LINE_LIMIT_BYTES = 1_000_000
WINDOW_BYTES = 1 << 16  # at the beginning and the end of a file, by which a later load recognizes it
_SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}
BOM = b"\xef\xbb\xbf"
_END_OF_LINE = re.compile(rb"\r?\n")


@dataclass(frozen=True)
class Block:
    """Whole lines of a source, from byte `start` to `end`; the first is line `first_line`. `data` holds them all, but
    only the beginning of a line over LINE_LIMIT_BYTES."""

    data: bytes
    start: int
    end: int
    first_line: int

    @property
    def end_line(self) -> int:
        """Return the number of the line that follows."""
        return self.first_line + max(1, self.data.count(b"\n"))

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Yield the numbers (from 1) and texts of the lines that are not blank, without line ends."""
        data = self.data.removeprefix(BOM) if self.start == 0 else self.data
        for number, line in enumerate(data.split(b"\n"), self.first_line):
            if line.strip():
                yield number, line.rstrip(b"\r")

    def line_count(self) -> int:
        """Return how many lines are not blank."""
        if re.search(rb"[ \t\r\x0b\x0c]", self.data):
            return sum(1 for _ in self.lines())
        return len(self.data.split())


@dataclass
class Source:
    """An open file of outcomes. `stream` can seek and holds unpacked lines. If it `is_final`, nothing will be appended,
    so a last line needs no newline.

    `damage` says why the file ends too early. After reading, `has_unfinished_line` is True if the last line has no
    newline yet."""

    name: str
    format: str
    stream: BinaryIO
    is_final: bool
    size: int
    damage: str | None = None
    has_unfinished_line: bool = False

    def blocks(self, start: int, first_line: int) -> Iterator[Block]:
        """Yield the source from byte `start` on, in blocks of whole lines."""
        self.stream.seek(start)
        rest = b""
        while chunk := self.stream.read(LINE_LIMIT_BYTES):
            data = rest + chunk
            first_end = data.find(b"\n") + 1
            # A chunk is no longer than a line may be, so an overlong line begins in `rest`.
            if (first_end or len(data)) > LINE_LIMIT_BYTES + 1:
                rest, length = self._rest_of_line(data)
                block = Block(data[: LINE_LIMIT_BYTES + 1], start, start + length, first_line)
            else:
                cut = data.rfind(b"\n") + 1
                rest = data[cut:]
                if not cut:
                    continue
                block = Block(data[:cut], start, start + cut, first_line)
            if block.end > start:
                yield block
                start, first_line = block.end, block.end_line
        cut = len(rest) if self.is_final and self.damage is None else rest.rfind(b"\n") + 1
        if cut:
            yield Block(rest[:cut], start, start + cut, first_line)
        if rest[cut:].strip():
            self.has_unfinished_line = True

    def _rest_of_line(self, data: bytes) -> tuple[bytes, int]:
        """Return what follows an overlong first line of `data`, and that line's length. Return (b"", 0) if its end is
        not written yet."""
        length = 0
        while not (cut := data.find(b"\n") + 1):
            length += len(data)
            data = self.stream.read(LINE_LIMIT_BYTES)
            if not data:
                self.has_unfinished_line = not self.is_final
                return b"", length if self.is_final else 0
        return data[cut:], length + cut

    def digests(self, end: int) -> Digests | None:
        """Return the digests of the bytes before `end`, None if the source is shorter. The stream keeps its
        position."""
        here, length = self.stream.tell(), min(end, WINDOW_BYTES)
        self.stream.seek(0)
        head = self.stream.read(length)
        self.stream.seek(end - length)
        tail = self.stream.read(length)
        self.stream.seek(here)
        return Digests(length, _sha256(head), _sha256(tail)) if len(tail) == length else None

    def heads(self) -> list[tuple[int, str]]:
        """Return (length in bytes, SHA-256) of each beginning of the source where an earlier load may have ended, the
        longest first: at an end of a line within WINDOW_BYTES, and after WINDOW_BYTES or at the end of the source."""
        self.stream.seek(0)
        window = self.stream.read(WINDOW_BYTES)
        lengths = {len(window)}
        for end_of_line in _END_OF_LINE.finditer(window):
            # A load may have read the line before its newline was written.
            lengths |= {end_of_line.start(), end_of_line.end()}
        digest, at, heads = hashlib.sha256(), 0, []
        for length in sorted(lengths - {0}):
            digest.update(window[at:length])
            at = length
            heads.append((length, digest.hexdigest()))
        return heads[::-1]


@dataclass(frozen=True)
class Digests:
    head_bytes: int
    head_sha256: str
    tail_sha256: str


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


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
            mapping.refuse_tools(path, stream)
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
