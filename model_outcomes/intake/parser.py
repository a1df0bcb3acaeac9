"""Blocks of lines become batches of rows for the log, and rejected lines with their faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from model_outcomes.base.messages import Fault
from model_outcomes.intake.batches import Batch, NumberedCorrection, NumberedRow, Refusals, Row
from model_outcomes.intake.csv_header import CsvColumn, read_header
from model_outcomes.intake.csv_records import CsvRecord, CsvRecords, too_long
from model_outcomes.intake.sources import LINE_LIMIT_BYTES, Block, Source
from model_outcomes.log import corrections, outcome, validation
from model_outcomes.log.corrections import Correction
from model_outcomes.log.outcome import InvalidOutcome, Outcome
from model_outcomes.log.validation import UnknownFields


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
                    raise too_long()
                if correction := corrections.parse_line(line):
                    corrected.append((number, line, correction))
                    continue
                yield number, line, self._row(validation.parse_json(line, unknown))
            except InvalidOutcome as fault:
                refusals.add(number, line, fault.faults)

    def _csv_batches(self, source: Source, start: int, first_line: int) -> Iterator[Batch]:
        header = read_header(source, self.unknown_fields)
        if header is None:
            return
        place = (start, first_line) if start >= header.end else (header.end, header.end_line)
        records = CsvRecords(source, *place, header.separator)
        traced: list[NumberedRow] = []
        corrected: list[NumberedCorrection] = []
        size = 0
        for record in records:
            try:
                _expect_cells(header.columns, record)
                if header.has_corrections:
                    corrected.append((record.line_number, record.raw, _csv_correction(header.columns, record)))
                else:
                    traced.append((record.line_number, record.raw, self._csv_row(header.columns, record)))
            except InvalidOutcome as fault:
                self.refusals.add(record.line_number, record.raw, fault.faults)
            size += len(record.raw)
            if size >= LINE_LIMIT_BYTES:
                yield _csv_batch(traced, records, corrected)
                traced, corrected, size = [], [], 0
        if records.end > start:
            yield _csv_batch(traced, records, corrected)

    def _csv_row(self, header: list[CsvColumn], record: CsvRecord) -> Row:
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


def _csv_batch(traced: list[NumberedRow], records: CsvRecords, corrected: list[NumberedCorrection]) -> Batch:
    return Batch([row for *_, row in traced], records.end, records.end_line, lambda: traced, corrected)


def _expect_cells(header: list[CsvColumn], record: CsvRecord) -> None:
    """Raise InvalidOutcome if a record cannot be read, or has another number of cells than the header."""
    if record.fault:
        raise InvalidOutcome([Fault(record.fault)])
    if len(record.cells) != len(header):
        raise InvalidOutcome([Fault(f"has {len(record.cells)} fields, the header has {len(header)}")])


def _csv_correction(header: list[CsvColumn], record: CsvRecord) -> Correction:
    cells = zip((column.header for column in header), map(str.strip, record.cells), strict=True)
    return corrections.parse_fields({name: cell for name, cell in cells if cell}, strict=False)
