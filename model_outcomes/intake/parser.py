"""Blocks of lines become batches of rows for the log, and rejected lines with their faults."""

from __future__ import annotations

import csv
import io
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from model_outcomes.base import messages
from model_outcomes.base.errors import OutcomesError
from model_outcomes.base.messages import Fault
from model_outcomes.intake.sources import BOM, LINE_LIMIT_BYTES, Block, Source
from model_outcomes.log import corrections, outcome, validation
from model_outcomes.log.corrections import Correction
from model_outcomes.log.load_history import RAW_LIMIT_BYTES, RejectedLine
from model_outcomes.log.outcome import InvalidOutcome, Outcome
from model_outcomes.log.validation import UnknownFields

REJECTS_KEPT = 1_000
REASONS_COUNTED = 1_000
Row = tuple[Any, ...]
NumberedRow = tuple[int, bytes, Row]  # line number, line, row
NumberedCorrection = tuple[int, bytes, Correction]


@dataclass
class Refusals:
    """The lines that a load rejects: all are counted, and the first `room` of them are kept (None: all)."""

    room: int | None = REJECTS_KEPT
    kept: list[RejectedLine] = field(default_factory=list)
    count: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, line_number: int, raw: bytes, faults: Sequence[Fault]) -> None:
        self.count += 1
        for fault in faults:
            self._count(fault.reason, 1)
        if self.room != 0:
            text = raw[:RAW_LIMIT_BYTES].decode("utf-8", "replace")
            self.kept.append(RejectedLine(line_number, messages.as_json(faults), text))
            self.room = self.room and self.room - 1

    def add_unkept(self, lines: int, reason: str) -> None:
        self.count += lines
        self._count(reason, lines)

    def take(self) -> list[RejectedLine]:
        """Return the lines that were kept since the last call."""
        kept, self.kept = self.kept, []
        return kept

    def _count(self, reason: str, lines: int) -> None:
        is_counted = reason in self.reasons or len(self.reasons) < REASONS_COUNTED
        self.reasons[reason if is_counted else "other reasons"] += lines


@dataclass(frozen=True)
class Batch:
    """The rows of one transaction. They reach to byte `end`, where line `end_line` begins.

    `retrace` returns the line of each row, which is needed if the log itself rejects a row. `corrections` are applied
    after the rows, in their order."""

    rows: list[Row]
    end: int
    end_line: int
    retrace: Callable[[], Iterable[NumberedRow]]
    corrections: Sequence[NumberedCorrection] = ()


@dataclass
class Parser:
    """Turns a source into batches. When it yields a batch, the rejected lines of the batch are in `refusals`.

    `unknown_fields` says what becomes of fields that no outcome has. An outcome later than `horizon` is rejected or,
    with `redate_to`, gets that time and its event_id goes to `redated`."""

    horizon: datetime
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
            rows = [self._row(each) for each in validation.decode_lines(block.data)]
            return Batch(rows, block.end, block.end_line, lambda: self._traced_again(block))
        except (msgspec.MsgspecError, UnicodeDecodeError, InvalidOutcome):
            pass
        if self.refusals.room == 0 and b"{" not in block.data:
            # Millions of lines without an object are counted, not examined.
            self.refusals.add_unkept(block.line_count(), "expected a JSON object")
            return Batch([], block.end, block.end_line, tuple)
        corrected: list[NumberedCorrection] = []
        traced = list(self._json_rows(block, self.refusals, self.unknown_fields, corrected))
        return Batch([row for *_, row in traced], block.end, block.end_line, lambda: traced, corrected)

    def _traced_again(self, block: Block) -> Iterator[NumberedRow]:
        return self._json_rows(block, Refusals(room=0), UnknownFields(self.unknown_fields.extra), [])

    def _json_rows(
        self, block: Block, refusals: Refusals, unknown: UnknownFields, corrected: list[NumberedCorrection]
    ) -> Iterator[NumberedRow]:
        """Yield the rows of a block, and append its corrections to `corrected`."""
        for number, line in block.lines():
            try:
                if len(line) > LINE_LIMIT_BYTES:
                    raise _too_long()
                if correction := corrections.parse_line(line):
                    corrected.append((number, line, correction))
                    continue
                yield number, line, self._row(validation.parse_json(line, unknown))
            except InvalidOutcome as fault:
                refusals.add(number, line, fault.faults)

    def _csv_batches(self, source: Source, start: int, first_line: int) -> Iterator[Batch]:
        records = CsvRecords(source)
        header = self._csv_header(records, source)
        has_corrections = corrections.are_of_correction([column.header for column in header])
        if start:
            records = CsvRecords(source, start, first_line)
        traced: list[NumberedRow] = []
        corrected: list[NumberedCorrection] = []
        size = 0
        for record in records:
            try:
                if has_corrections:
                    corrected.append((record.line_number, record.raw, _csv_correction(header, record)))
                else:
                    traced.append((record.line_number, record.raw, self._csv_row(header, record)))
            except InvalidOutcome as fault:
                self.refusals.add(record.line_number, record.raw, fault.faults)
            size += len(record.raw)
            if size >= LINE_LIMIT_BYTES:
                yield _csv_batch(traced, records, corrected)
                traced, corrected, size = [], [], 0
        if records.end > start:
            yield _csv_batch(traced, records, corrected)

    def _csv_header(self, records: CsvRecords, source: Source) -> list[CsvColumn]:
        first = next(records, None)
        if first is None:
            return []
        cells = [cell.strip() for cell in first.cells]
        if corrections.are_of_correction(cells):
            for cell in cells:
                if cell not in corrections.FIELDS or cells.count(cell) > 1:
                    problem = "twice" if cell in corrections.FIELDS else "which no correction has"
                    raise OutcomesError(f"{source.name} has the column {messages.short_name(cell)}, {problem}")
            return [CsvColumn(None, cell) for cell in cells]
        names = [cell if cell in outcome.FIELDS else validation.CAMEL_CASE.get(cell) for cell in cells]
        for required in outcome.REQUIRED:
            if required not in names:
                raise OutcomesError(f"{source.name} has no column {required}: name it in the first line")
        for name, cell in zip(names, cells, strict=True):
            if name is None and self.unknown_fields.extra == "reject":
                column, hint = messages.short_name(cell), validation.suggestion(cell)
                raise OutcomesError(f"{source.name} has the column {column}, which is no known one{hint}")
            if name is None and cell:
                self.unknown_fields.add(cell)
                if self.unknown_fields.extra == "keep" and cells.count(cell) > 1:
                    raise OutcomesError(f"{source.name} has the column {messages.short_name(cell)} twice")
            elif name and names.count(name) > 1:
                raise OutcomesError(f"{source.name} has the column {name} twice")
        return [CsvColumn(name, cell) for name, cell in zip(names, cells, strict=True)]

    def _csv_row(self, header: list[CsvColumn], record: CsvRecord) -> Row:
        _expect_fields(header, record)
        fields, attributes = {}, {}
        for column, cell in zip(header, record.cells, strict=True):
            if column.field:
                fields[column.field] = cell.strip()
            elif column.header and self.unknown_fields.extra == "keep":
                attributes[column.header] = cell.strip()
        return self._row(validation.parse_texts(fields, attributes))

    def _row(self, new: Outcome) -> Row:
        if self.redate_to and new.timestamp > self.horizon:
            self.redated.add(new.event_id)
            new = msgspec.structs.replace(new, timestamp=self.redate_to)
        return outcome.check(new, self.horizon).row()


def _too_long() -> InvalidOutcome:
    return InvalidOutcome([Fault(f"longer than {LINE_LIMIT_BYTES:,} bytes")])


def _csv_batch(traced: list[NumberedRow], records: CsvRecords, corrected: list[NumberedCorrection]) -> Batch:
    return Batch([row for *_, row in traced], records.end, records.end_line, lambda: traced, corrected)


def _expect_fields(header: list[CsvColumn], record: CsvRecord) -> None:
    """Raise InvalidOutcome if a record cannot be read, or has another number of fields than the header."""
    if record.fault:
        raise InvalidOutcome([Fault(record.fault)])
    if len(record.cells) != len(header):
        raise InvalidOutcome([Fault(f"has {len(record.cells)} fields, the header has {len(header)}")])


def _csv_correction(header: list[CsvColumn], record: CsvRecord) -> Correction:
    _expect_fields(header, record)
    cells = zip((column.header for column in header), map(str.strip, record.cells), strict=True)
    return corrections.parse_fields({name: cell for name, cell in cells if cell}, strict=False)


@dataclass(frozen=True)
class CsvColumn:
    """A column of a CSV file. `field` is None if no outcome has such a field. Without a header it is ignored: programs
    write their row numbers so."""

    field: str | None
    header: str


@dataclass(frozen=True)
class CsvRecord:
    line_number: int
    raw: bytes
    cells: list[str]
    fault: str | None = None


class CsvRecords:
    """The records of a CSV source, each with its lines. If csv cannot read a record, its first line is rejected and
    the next line begins a record. `end` and `end_line` are behind the last record that was yielded."""

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
            lines: list[tuple[bytes, int]] = []
            reader = csv.reader(self._feed(lines), strict=True)
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
            number = self.end_line
            self.end += sum(length for _, length in lines)
            self.end_line += len(lines)
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError as error:
                fault = f"not UTF-8 at byte {error.start + 1}"
            if cells or fault:
                yield CsvRecord(number, raw.rstrip(b"\r\n"), cells, fault)

    def _feed(self, lines: list[tuple[bytes, int]]) -> Iterator[str]:
        """Yield lines as text, and append each with its length to `lines`."""
        size = 0
        while line_and_length := self._waiting.popleft() if self._waiting else next(self._lines, None):
            line, length = line_and_length
            lines.append(line_and_length)
            size += length
            if size > LINE_LIMIT_BYTES:
                raise _too_long()
            yield line.removeprefix(BOM).decode("utf-8", "surrogateescape")


def _csv_lines(source: Source, start: int, first_line: int) -> Iterator[tuple[bytes, int]]:
    """Yield lines with their ends, and their lengths in the source (of an overlong line only a part is there)."""
    for block in source.blocks(start, first_line):
        lines = list(io.BytesIO(block.data))
        if len(lines) == 1:
            yield lines[0], block.end - block.start
        else:
            yield from ((line, len(line)) for line in lines)
