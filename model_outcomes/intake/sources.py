"""Sources: open files of outcomes, whose lines come in blocks with byte offsets.

Every format is read as lines with byte offsets, so that a load can stop anywhere and continue there. Offsets in a .gz
count unpacked bytes.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

LINE_LIMIT_BYTES = 1_000_000
WINDOW_BYTES = 1 << 16  # at the beginning and the end of a file, by which a later load recognizes it
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
        if rest[cut:].removeprefix(BOM).strip():
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

    def checksum(self, start: int, end: int, checksum: int = 0) -> int:
        """Return the CRC-32 of the bytes before `end`; `checksum` is that of the bytes before `start`. The stream keeps
        its position."""
        here = self.stream.tell()
        self.stream.seek(start)
        while start < end and (chunk := self.stream.read(min(end - start, LINE_LIMIT_BYTES))):
            checksum = zlib.crc32(chunk, checksum)
            start += len(chunk)
        self.stream.seek(here)
        return checksum

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
