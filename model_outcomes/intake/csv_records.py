"""Records of a CSV source, each with its lines, so that a load can stop and continue between any two."""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from model_outcomes.base.messages import Fault
from model_outcomes.intake.sources import BOM, LINE_LIMIT_BYTES, Source
from model_outcomes.log.outcome import InvalidOutcome


@dataclass(frozen=True)
class CsvRecord:
    line_number: int
    start: int
    raw: bytes
    cells: list[str]
    fault: str | None = None


class CsvRecords:
    """The records of a CSV source, each with its lines. If csv cannot read a record, its first line is rejected and
    the next line begins a record. `end` and `end_line` are behind the last record that was yielded."""

    def __init__(self, source: Source, start: int = 0, first_line: int = 1, separator: str = ",") -> None:
        self.end, self.end_line = start, first_line
        self._separator = separator
        self._lines = _csv_lines(source, start, first_line)
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._records = self._read()

    def __iter__(self) -> Iterator[CsvRecord]:
        return self

    def __next__(self) -> CsvRecord:
        return next(self._records)

    def _read(self) -> Iterator[CsvRecord]:
        while True:
            lines: list[tuple[bytes, int]] = []
            reader = csv.reader(self._feed(lines), strict=True, delimiter=self._separator)
            try:
                cells = next(reader, None)
                fault = None
            except (csv.Error, InvalidOutcome) as error:
                cells, fault = [], f"not CSV: {error}"
                # All lines after the first are read again, as records of their own.
                self._waiting.extendleft(lines[:0:-1])
                del lines[1:]
            if cells is None:
                return
            raw = b"".join(line for line, _ in lines)
            number, start = self.end_line, self.end
            self.end += sum(length for _, length in lines)
            self.end_line += len(lines)
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError as error:
                fault = f"not UTF-8 at byte {error.start + 1}"
            if cells or fault:
                yield CsvRecord(number, start, raw.rstrip(b"\r\n"), cells, fault)

    def _feed(self, lines: list[tuple[bytes, int]]) -> Iterator[str]:
        """Yield lines as text, and append each with its length to `lines`."""
        size = 0
        while line_and_length := self._waiting.popleft() if self._waiting else next(self._lines, None):
            line, length = line_and_length
            lines.append(line_and_length)
            size += length
            if size > LINE_LIMIT_BYTES:
                raise too_long()
            yield line.removeprefix(BOM).decode("utf-8", "surrogateescape")


def _csv_lines(source: Source, start: int, first_line: int) -> Iterator[tuple[bytes, int]]:
    """Yield lines with their ends, and their lengths in the source (of an overlong line only a part is there)."""
    for block in source.blocks(start, first_line):
        lines = list(io.BytesIO(block.data))
        if len(lines) == 1:
            yield lines[0], block.end - block.start
        else:
            yield from ((line, len(line)) for line in lines)


def too_long() -> InvalidOutcome:
    return InvalidOutcome([Fault(f"longer than {LINE_LIMIT_BYTES:,} bytes")])
