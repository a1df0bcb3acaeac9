"""Files of outcomes: what they are, and their lines in blocks that know where they stand.

Every format is read as lines with byte offsets, so that a load can stop anywhere and go on there:
a JSON array is laid out as one element a line first, .gz is counted in unpacked bytes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import sys
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

import msgspec

from loader import store
from loader.errors import OutcomesError

FORMATS = ("jsonl", "json", "csv")
LINE_LIMIT = 1_000_000
ARRAY_LIMIT = 100_000_000
WINDOW = 1 << 16
_SUFFIXES = {".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv"}
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Block:
    """Whole lines of a source: bytes `start` to `end`, from line `first_line` on. `data` holds
    them all, but of a line over LINE_LIMIT only the beginning."""

    data: bytes
    start: int
    end: int
    first_line: int

    @property
    def end_line(self) -> int:
        """The number of the line that follows."""
        return self.first_line + max(1, self.data.count(b"\n"))

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Line numbers (from 1) and lines, less their ends; blank ones are passed over."""
        data = self.data.removeprefix(BOM) if self.start == 0 else self.data
        for number, line in enumerate(data.split(b"\n"), self.first_line):
            if line.strip():
                yield number, line.rstrip(b"\r")


@dataclass
class Source:
    """An open file of outcomes. `stream` can seek and holds unpacked lines; `is_final` says
    that nothing will be added, so that a last line without its newline is a whole one.

    `damage` names what makes it end before its end; after reading, `has_unfinished_line` says
    that a last line waits for its newline."""

    name: str
    format: str
    stream: BinaryIO
    is_final: bool
    size: int
    damage: str | None = None
    has_unfinished_line: bool = False

    def blocks(self, start: int, first_line: int) -> Iterator[Block]:
        """The source from byte `start` on, in blocks of whole lines."""
        self.stream.seek(start)
        rest = b""
        while chunk := self.stream.read(LINE_LIMIT):
            data = rest + chunk
            first_end = data.find(b"\n") + 1
            # A chunk is no longer than a line may be: an overlong one begins in `rest`.
            if (first_end or len(data)) > LINE_LIMIT + 1:
                rest, length = self._rest_of_line(data)
                block = Block(data[: LINE_LIMIT + 1], start, start + length, first_line)
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
        """What follows an overlong first line of `data`, and that line's length; (b"", 0) where
        its end is not written yet."""
        length = 0
        while not (cut := data.find(b"\n") + 1):
            length += len(data)
            data = self.stream.read(LINE_LIMIT)
            if not data:
                self.has_unfinished_line = not self.is_final
                return b"", length if self.is_final else 0
        return data[cut:], length + cut

    def digests(self, end: int) -> Digests | None:
        """The fingerprint of the bytes before `end`, None where the source is shorter. The
        stream stands afterwards where it stood."""
        here, length = self.stream.tell(), min(end, WINDOW)
        self.stream.seek(0)
        head = self.stream.read(length)
        self.stream.seek(end - length)
        tail = self.stream.read(length)
        self.stream.seek(here)
        return Digests(length, _sha256(head), _sha256(tail)) if len(tail) == length else None

    def head_digests(self, lengths: set[int]) -> dict[int, str]:
        """SHA-256 of the first n bytes, for each n asked for that the source has."""
        self.stream.seek(0)
        head = self.stream.read(WINDOW)
        digest, at, found = hashlib.sha256(), 0, {}
        for length in sorted(lengths):
            if length <= len(head):
                digest.update(head[at:length])
                at, found[length] = length, digest.hexdigest()
        return found


@dataclass(frozen=True)
class Digests:
    head_bytes: int
    head_sha256: str
    tail_sha256: str


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@contextmanager
def open_source(name: str, format: str | None, *, is_final: bool = False) -> Iterator[Source]:
    """Open a file, or standard input (`-`), find out what it is, and check that it can be that.

    Raises OutcomesError with a line that names the file and the fault.
    """
    path = store.source_name(name)
    try:
        with _open(name) as raw, _unpacked(raw, path) as (stream, is_packed, damage):
            format = format or _format_of(name, stream)
            if format == "json":
                stream, is_final = _array_as_lines(stream, path), True
            _check_content(stream, format, path)
            is_final = is_final or is_packed or name == "-"
            yield Source(path, format, stream, is_final, stream.seek(0, io.SEEK_END), damage)
    except OSError as fault:
        raise OutcomesError(f"{path}: {fault.strerror or fault}") from None


@contextmanager
def _open(name: str) -> Iterator[BinaryIO]:
    if name != "-":
        with Path(name).open("rb") as file:
            yield file
        return
    # Kept aside first: what comes through a pipe is then known again like any file.
    with tempfile.TemporaryFile() as kept:
        shutil.copyfileobj(sys.stdin.buffer, kept)
        kept.seek(0)
        yield cast(BinaryIO, kept)


@contextmanager
def _unpacked(raw: BinaryIO, path: str) -> Iterator[tuple[BinaryIO, bool, str | None]]:
    """The stream itself, or an unpacked copy of a .gz (which could not seek), and what damaged it."""
    is_packed = raw.read(2) == b"\x1f\x8b"
    raw.seek(0)
    if not is_packed:
        yield raw, False, None
        return
    damage = None
    with tempfile.TemporaryFile() as kept:
        try:
            with gzip.open(raw, "rb") as unpacked:
                shutil.copyfileobj(unpacked, kept)
        except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
            damage = f"the .gz is damaged: {fault}"
            kept.seek(0)
            if not kept.readline().endswith(b"\n"):
                raise OutcomesError(f"{path}: {damage}") from None
        kept.seek(0)
        yield cast(BinaryIO, kept), True, damage


def _format_of(name: str, stream: BinaryIO) -> str:
    """By the name where it says so, else by the first character of the content."""
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
        return  # A crash may well have left a stretch of NULs in it.
    if b"\0" in beginning:
        raise OutcomesError(f"{path} is binary, not {format}")
    if format == "jsonl" and beginning.strip():
        raise OutcomesError(f"{path} is not JSON Lines: no line of it begins with {{")


def _array_as_lines(stream: BinaryIO, path: str) -> BinaryIO:
    content = stream.read(ARRAY_LIMIT + 1).removeprefix(BOM)
    if len(content) > ARRAY_LIMIT:
        raise OutcomesError(f"{path} is a JSON array of over 100 MB: use JSON Lines, one object a line")
    try:
        elements = msgspec.json.decode(content, type=list[msgspec.Raw])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise OutcomesError(f"{path} is not a JSON array: {_where_json_ends(content)}") from None
    # A newline inside an element is white space: inside a string it would be escaped.
    lines = (bytes(element).replace(b"\r", b" ").replace(b"\n", b" ") for element in elements)
    return io.BytesIO(b"".join(line + b"\n" for line in lines))


def _where_json_ends(content: bytes) -> str:
    try:
        value = json.loads(content)
    except UnicodeDecodeError as fault:
        return f"not UTF-8 at byte {fault.start + 1}"
    except (ValueError, RecursionError) as fault:
        return str(fault)
    return f"it holds a {type(value).__name__}"
