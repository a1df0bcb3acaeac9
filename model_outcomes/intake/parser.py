"""Blocks of lines become batches of rows for the log, and of rejects with their reasons."""

from __future__ import annotations

import csv
import io
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake.sources import BOM, LINE_LIMIT, Block, Source
from model_outcomes.log import outcome
from model_outcomes.log.outcome import InvalidOutcome, Outcome, UnknownFields

RAW_LIMIT = 4096  # bytes
REJECTS_KEPT = 1_000
REASONS_COUNTED = 1_000
Row = tuple[Any, ...]


@dataclass(frozen=True)
class Reject:
    line_number: int
    raw: bytes
    reasons: list[str]

    @property
    def raw_text(self) -> str:
        """Return the line as it came, cut at 4 kB; bytes that are not UTF-8 show as �."""
        return self.raw[:RAW_LIMIT].decode("utf-8", "replace")


@dataclass
class Refusals:
    """The lines that a load refuses: all are counted, and the first `room` of them kept (None: all)."""

    room: int | None = REJECTS_KEPT
    kept: list[Reject] = field(default_factory=list)
    count: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, line_number: int, raw: bytes, reasons: list[str]) -> None:
        self.count += 1
        for reason in reasons:
            self._count(reason.partition(", got ")[0], 1)
        if self.room != 0:
            self.kept.append(Reject(line_number, raw[:RAW_LIMIT], reasons))
            self.room = self.room and self.room - 1

    def add_unkept(self, lines: int, reason: str) -> None:
        self.count += lines
        self._count(reason, lines)

    def taken(self) -> list[Reject]:
        """Return the lines kept since the last call."""
        kept, self.kept = self.kept, []
        return kept

    def _count(self, reason: str, lines: int) -> None:
        is_counted = reason in self.reasons or len(self.reasons) < REASONS_COUNTED
        self.reasons[reason if is_counted else "other reasons"] += lines


@dataclass(frozen=True)
class Batch:
    """The rows of the bytes up to `end`, which is line `end_line`: one transaction.

    `retrace` gives (line number, line, row) for each of `rows`, for the case that the log itself
    refuses one of them."""

    rows: list[Row]
    end: int
    end_line: int
    retrace: Callable[[], Iterable[tuple[int, bytes, Row]]]


@dataclass
class Parser:
    """Turns a source into batches. The lines of a batch that are refused are in `refusals` when the batch comes.
    `unknown_fields` counts the fields that were ignored, unless a line that has one is refused (`refuses_unknown`).

    An outcome beyond `horizon` is refused or, with `redate_to`, dated then and its event_id noted in `redated`."""

    horizon: datetime
    refuses_unknown: bool = False
    refusals: Refusals = field(default_factory=Refusals)
    unknown_fields: UnknownFields = field(default_factory=UnknownFields)
    redate_to: datetime | None = None
    redated: set[str | None] = field(default_factory=set)

    def batches(self, source: Source, start: int, first_line: int) -> Iterator[Batch]:
        if source.format == "csv":
            return self._csv_batches(source, start, first_line)
        return (self._json_batch(block) for block in source.blocks(start, first_line))

    def _json_batch(self, block: Block) -> Batch:
        try:
            rows = [self._row(found) for found in outcome.decode_lines(block.data)]
            ignored = Refusals(room=0)
            return Batch(rows, block.end, block.end_line, lambda: self._json_rows(block, ignored))
        except (msgspec.MsgspecError, UnicodeDecodeError, InvalidOutcome):
            pass
        if self.refusals.room == 0 and b"{" not in block.data:
            # Millions of lines that hold no object are counted without a look at each.
            self.refusals.add_unkept(block.line_count(), "expected a JSON object")
            return Batch([], block.end, block.end_line, tuple)
        traced = list(self._json_rows(block, self.refusals, self.unknown_fields))
        return Batch([row for *_, row in traced], block.end, block.end_line, lambda: traced)

    def _json_rows(
        self, block: Block, refusals: Refusals, unknown: UnknownFields | None = None
    ) -> Iterator[tuple[int, bytes, Row]]:
        for number, line in block.lines():
            try:
                if len(line) > LINE_LIMIT:
                    raise InvalidOutcome([f"longer than {LINE_LIMIT:,} bytes"])
                found = outcome.parse_json(line, unknown, refuses_unknown=self.refuses_unknown)
                yield number, line, self._row(found)
            except InvalidOutcome as fault:
                refusals.add(number, line, fault.reasons)

    def _csv_batches(self, source: Source, start: int, first_line: int) -> Iterator[Batch]:
        records = CsvRecords(source)
        header = self._csv_header(records, source)
        if start:
            records = CsvRecords(source, start, first_line)
        traced: list[tuple[int, bytes, Row]] = []
        size = 0
        for record in records:
            try:
                traced.append((record.line_number, record.raw, self._csv_row(header, record)))
            except InvalidOutcome as fault:
                self.refusals.add(record.line_number, record.raw, fault.reasons)
            size += len(record.raw)
            if size >= LINE_LIMIT:
                yield _csv_batch(traced, records)
                traced, size = [], 0
        if records.end > start:
            yield _csv_batch(traced, records)

    def _csv_header(self, records: CsvRecords, source: Source) -> list[str | None]:
        """Return the column names, None for those that are passed over."""
        first = next(records, None)
        if first is None:
            return []
        names = [_csv_column(name) for name in first.cells]
        for required in outcome.REQUIRED:
            if required not in names:
                raise OutcomesError(f"{source.name} has no column {required}: its first line must name it")
        for name, cell in zip(names, first.cells, strict=True):
            if name is None and self.refuses_unknown:
                column = outcome.short_name(cell)
                raise OutcomesError(
                    f"{source.name} has the column {column}, which is no known one{outcome.suggestion(cell)}"
                )
            if name is None:
                self.unknown_fields.add(cell)
            elif names.count(name) > 1:
                raise OutcomesError(f"{source.name} has the column {name} twice")
        return names

    def _csv_row(self, header: list[str | None], record: CsvRecord) -> Row:
        if record.fault:
            raise InvalidOutcome([record.fault])
        if len(record.cells) != len(header):
            raise InvalidOutcome([f"has {len(record.cells)} fields, the header has {len(header)}"])
        cells = {name: cell.strip() for name, cell in zip(header, record.cells, strict=True) if name}
        return self._row(outcome.parse_texts(cells))

    def _row(self, found: Outcome) -> Row:
        if self.redate_to and found.timestamp > self.horizon:
            self.redated.add(found.event_id)
            found = msgspec.structs.replace(found, timestamp=self.redate_to)
        return outcome.check(found, self.horizon).row()


def _csv_column(cell: str) -> str | None:
    name = cell.strip()
    return name if name in outcome.FIELDS else outcome.CAMEL_CASE.get(name)


def _csv_batch(traced: list[tuple[int, bytes, Row]], records: CsvRecords) -> Batch:
    return Batch([row for *_, row in traced], records.end, records.end_line, lambda: traced)


@dataclass(frozen=True)
class CsvRecord:
    line_number: int
    raw: bytes
    cells: list[str]
    fault: str | None = None


class CsvRecords:
    """The records of a CSV source, each with the lines it took. A record that csv cannot read
    costs its first line alone: reading goes on with the next one. `end` and `end_line` are
    behind the last record given."""

    def __init__(self, source: Source, start: int = 0, first_line: int = 1) -> None:
        self.end, self.end_line = start, first_line
        self._lines = _csv_lines(source, start, first_line)
        self._waiting: deque[tuple[bytes, int]] = deque()
        self._records = self._read()

    def __iter__(self) -> Iterator[CsvRecord]:
        return self

    def __next__(self) -> CsvRecord:
        return next(self._records)

    def _read(self) -> Iterator[CsvRecord]:
        while True:
            taken: list[tuple[bytes, int]] = []
            reader = csv.reader(self._feed(taken), strict=True)
            try:
                cells = next(reader, None)
                fault = None
            except (csv.Error, InvalidOutcome) as error:
                cells, fault = [], f"not CSV: {error}"
                # All but the first line are read again, as records of their own.
                self._waiting.extendleft(taken[:0:-1])
                del taken[1:]
            if cells is None:
                return
            raw = b"".join(line for line, _ in taken)
            number = self.end_line
            self.end += sum(length for _, length in taken)
            self.end_line += len(taken)
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError as error:
                fault = f"not UTF-8 at byte {error.start + 1}"
            if cells or fault:
                yield CsvRecord(number, raw.rstrip(b"\r\n"), cells, fault)

    def _feed(self, taken: list[tuple[bytes, int]]) -> Iterator[str]:
        size = 0
        while True:
            if self._waiting:
                line, length = self._waiting.popleft()
            else:
                found = next(self._lines, None)
                if found is None:
                    return
                line, length = found
            taken.append((line, length))
            size += length
            if size > LINE_LIMIT:
                raise InvalidOutcome([f"longer than {LINE_LIMIT:,} bytes"])
            yield line.removeprefix(BOM).decode("utf-8", "surrogateescape")


def _csv_lines(source: Source, start: int, first_line: int) -> Iterator[tuple[bytes, int]]:
    """Yield lines with their ends, and their lengths in the source (an overlong one holds less)."""
    for block in source.blocks(start, first_line):
        lines = list(io.BytesIO(block.data))
        if len(lines) == 1:
            yield lines[0], block.end - block.start
        else:
            yield from ((line, len(line)) for line in lines)
