"""The header of a CSV file: its separator, and the field of each column. All its faults are named at once."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from model_outcomes.base import messages
from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake import recognition
from model_outcomes.intake.csv_records import CsvRecord, CsvRecords
from model_outcomes.intake.field_map import FieldMap
from model_outcomes.intake.sources import Source
from model_outcomes.log import corrections, outcome, validation
from model_outcomes.log.outcome import Outcome
from model_outcomes.log.validation import UnknownFields

SEPARATORS = ",;\t|"
HEADER_LIMIT_BYTES = 1 << 16  # that is read to find the separator
_SEPARATOR_LINE = re.compile(r"\s*sep=(.)\s*", re.IGNORECASE)  # as Excel writes it
_SQUEEZED = {name.replace("_", ""): name for name in outcome.FIELDS}


@dataclass(frozen=True)
class CsvColumn:
    """A column of a CSV file. `field` is None if no outcome has such a field. Without a header it is ignored: programs
    write their row numbers so."""

    field: str | None
    header: str


@dataclass(frozen=True)
class CsvHeader:
    """The columns, the map of their fields, and the byte and the line behind the header. `has_corrections` is True if
    each record corrects an outcome."""

    separator: str
    columns: list[CsvColumn]
    end: int
    end_line: int
    has_corrections: bool = False
    field_map: FieldMap | None = None


def separator_of(text: str) -> str:
    """Return the separator of a header: that by which most of its cells are fields, then that with most cells."""
    return max(SEPARATORS, key=lambda separator: _fit(text, separator))


def names_of(text: str) -> list[str]:
    """Return the cells of the header that a text begins with, with the names of fields in place of their other
    spellings."""
    lines = [line for line in text.splitlines() if line.strip() and not _SEPARATOR_LINE.fullmatch(line)]
    cells = lines[0].split(separator_of(lines[0])) if lines else []
    return [field or cell for field, cell in zip(fields_of(cells), cells, strict=True)]


def fields_of(cells: Sequence[str]) -> list[str | None]:
    """Return the field of each cell of a header. Case, blanks and hyphens do not matter, if no cell has the exact
    name."""
    exact = [cell if cell in outcome.FIELDS else validation.CAMEL_CASE.get(cell) for cell in cells]
    present = set(exact)
    similar = [_SQUEEZED.get(re.sub(r"[\s_-]+", "", cell).lower()) for cell in cells]
    return [name or (None if other in present else other) for name, other in zip(exact, similar, strict=True)]


def first_record(source: Source) -> tuple[str, CsvRecord | None]:
    """Return the separator, and the record that is the header (None without one)."""
    separator = None
    for record in CsvRecords(source):
        text = record.raw[:HEADER_LIMIT_BYTES].decode("utf-8", "replace").lstrip("\ufeff")
        named = _SEPARATOR_LINE.fullmatch(text)
        if named is None or separator:
            return separator or separator_of(text), record
        separator = named[1]
    return ",", None


def mapped_texts(header: CsvHeader, cells: Sequence[str], keeps_unknown: bool) -> Outcome:
    """Return the outcome of a row whose columns are mapped. Raises InvalidOutcome."""
    assert header.field_map is not None
    record = {column.header: cell.strip() for column, cell in zip(header.columns, cells, strict=True) if column.header}
    values = header.field_map.mapped(record)
    fields: dict[str, Any] = {}
    attributes = {}
    own = {column.header: column.field for column in header.columns}
    for name, value in values.items():
        column_field = name if name in header.field_map.provided else own.get(name)
        if column_field and column_field not in fields and (name == column_field or column_field not in values):
            fields[column_field] = value
        elif keeps_unknown and isinstance(value, str):
            attributes[name] = value
    return validation.parse_texts(fields, attributes, header.field_map.zone)


def read_header(source: Source, unknown: UnknownFields, field_map: FieldMap | None = None) -> CsvHeader | None:
    """Return the header, None if it is not there yet. Raises OutcomesError with all its faults."""
    separator, first = first_record(source)
    if first is None:
        return None
    records = CsvRecords(source, first.start, first.line_number, separator)
    record = next(records)
    if record.fault:
        raise OutcomesError(f"{source.name}: its first line cannot be read: {record.fault}")
    cells = [cell.strip() for cell in record.cells]
    names_outcome = "event_id" in cells or "outcome_id" in cells
    if field_map is None and names_outcome and corrections.are_of_correction(cells):
        _check_corrections(source.name, cells)
        columns = [CsvColumn(None, cell) for cell in cells]
        return CsvHeader(separator, columns, records.end, records.end_line, has_corrections=True)
    columns = [CsvColumn(name, cell) for name, cell in zip(fields_of(cells), cells, strict=True)]
    if field_map:
        field_map = field_map.bound([cell for cell in cells if cell], source.name)
    _check(source.name, columns, unknown, field_map)
    return CsvHeader(separator, columns, records.end, records.end_line, field_map=field_map)


def _check(path: str, columns: list[CsvColumn], unknown: UnknownFields, field_map: FieldMap | None) -> None:
    provided = field_map.provided if field_map else set()
    sources = {*field_map.paths.values()} if field_map else set()
    names, faults = Counter(column.field or column.header for column in columns), []
    missing = [name for name in outcome.REQUIRED if name not in names and name not in provided]
    if len(missing) == len(outcome.REQUIRED):
        headers = recognition.names_shown([column.header for column in columns if column.header])
        raise OutcomesError(f"{path} holds no outcomes: its first line has {headers}; {recognition.ADVICE}")
    if missing:
        faults.append(
            f"has no column {', '.join(missing)}: name {'it' if len(missing) == 1 else 'them'} in the first line"
        )
    others = [column.header for column in columns if column.field is None and column.header not in {*sources, ""}]
    if unknown.extra == "reject" and others:
        hints = [f"{messages.short_name(name)}{validation.suggestion(name)}" for name in others[: messages.NAMES_SHOWN]]
        more = len(others) - len(hints)
        hints += [f"{more:,} more"] if more > 0 else []
        faults.append(f"has columns that are not known: {', '.join(hints)}")
    kept = {column.field for column in columns} if unknown.extra != "keep" else {*names}
    twice = [name for name, count in names.items() if count > 1 and name and name in kept]
    if twice:
        faults.append(f"has columns twice: {recognition.names_shown(twice)}")
    if faults:
        raise OutcomesError(f"{path} {'; it '.join(faults)}")
    for name in others:
        unknown.add(name)


def _check_corrections(path: str, names: list[str]) -> None:
    for name in names:
        if name not in corrections.FIELDS or names.count(name) > 1:
            problem = "twice" if name in corrections.FIELDS else "which no correction has"
            raise OutcomesError(f"{path} has the column {messages.short_name(name)}, {problem}")


def _fit(text: str, separator: str) -> tuple[int, int]:
    try:
        cells = [cell.strip() for cell in next(csv.reader([text], delimiter=separator), [])]
    except csv.Error:
        return 0, 0
    return sum(name is not None for name in fields_of(cells)), len(cells)
