"""Loads of other tools' files: a mapping's rows go through the validation, the rejects and the writer of any load."""

from __future__ import annotations

import io
import json
import os
import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as Map
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from fnmatch import fnmatchcase
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any, Literal

import msgspec

from model_outcomes.base import clock, errors, messages, paths
from model_outcomes.base.errors import NothingLoadedError, OutcomesError, UnreadableError
from model_outcomes.base.messages import Fault
from model_outcomes.intake import documents, loads, sandbox
from model_outcomes.intake.batches import Batch, NumberedRow
from model_outcomes.intake.documents import Document, Opened, Opener
from model_outcomes.intake.mapping import Mapping, MissingParameterError, option
from model_outcomes.intake.parser import Parser
from model_outcomes.intake.sources import Digests, Source
from model_outcomes.intake.writer import LoadResult
from model_outcomes.log import outcome, spellings, store, validation
from model_outcomes.log.outcome import FIELDS, REQUIRED, InvalidOutcome, Outcome

NO_REASON = "no reason given"
REASON = "no_verdict_reason"
_NAIVE = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?")


@dataclass(frozen=True)
class Unit:
    """The files that one SELECT reads together. `name` is the file, or the folder that has them all."""

    name: str
    files: tuple[Path, ...]


@dataclass
class Preview:
    """The result of a dry run: the first rows, the counts of the others, and the parameters that are missing."""

    name: str
    first: list[dict[str, Any]] = field(default_factory=list)
    successes: int = 0
    failures: int = 0
    no_verdict: Counter[str] = field(default_factory=Counter)
    error_types: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    missing: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def checked_parameters(mapping: Mapping, values: Map[str, Any]) -> dict[str, Any]:
    """Return the values of a mapping's parameters that are not None. Raises OutcomesError if one is missing, or is
    invalid, or the mapping does not take it."""
    given = {name: value for name, value in values.items() if value is not None}
    mapping.check(given)
    zone = _zone(given.get("zone"))
    if text := given.get("timestamp"):
        try:
            given["timestamp"] = text = _localized(str(text), zone) or text
            validation.parse_time(text)
        except InvalidOutcome as fault:
            raise OutcomesError(f"--timestamp: {fault}") from None
    if "lower_is_better" in given:
        given["lower_is_better"] = int(given["lower_is_better"])
    return given


def units(mapping: Mapping, names: Sequence[str | Path]) -> Iterator[Unit | OutcomesError]:
    """Yield the units of files and folders, and the faults of names that lead to none."""
    files: list[Path] = []
    for name in map(Path, names):
        if str(name) == "-" or not name.is_dir():
            files.append(name)
            continue
        inside = [Path(folder) / each for folder, _, all_ in os.walk(name) for each in all_]
        wanted = sorted(path for path in inside if is_wanted(mapping, path))
        if not wanted:
            yield OutcomesError(f"{paths.shown_path(name)} has no file named like {', '.join(mapping.files)}")
        files += wanted
    yield from in_units(mapping, files)


def is_wanted(mapping: Mapping, path: Path) -> bool:
    """Return True if a file in a folder has a name that the mapping wants."""
    return any(path.match(each) if "/" in each else fnmatchcase(path.name, each) for each in mapping.files)


def in_units(mapping: Mapping, files: Sequence[Path]) -> Iterator[Unit]:
    """Yield the units of files."""
    groups: dict[Path | None, list[Path]] = {}
    for path in files:
        key = {"file": path, "folder": paths.absolute(path).parent}.get(mapping.group)
        groups.setdefault(key, []).append(path)
    for group in groups.values():
        folder = os.path.commonpath([paths.absolute(path).parent for path in group])
        yield Unit(folder if len(group) > 1 else str(group[0]), tuple(group))


def load(
    connection: sqlite3.Connection,
    mapping: Mapping,
    unit: Unit,
    parameters: Map[str, Any],
    *,
    all_or_nothing: bool = False,
    accept_changes: bool = False,
    opener: Opener = documents.plain_opener,
) -> LoadResult:
    """Load the files of a unit. Call it within `loads.lock`, with the result of `checked_parameters`.

    Raises OutcomesError, before anything is written, if no file can be read or a parameter is missing. The faults of
    some files among others are the `problems` of the result. Raises NothingLoadedError as `loads.load_file`.
    """
    with (
        _rows(mapping, unit, parameters, opener) as (rows, problems),
        # One commit for the rows and their bookkeeping is faster, if the write lock is held for a moment only.
        store.transaction(connection) if all_or_nothing or rows.is_one_batch else nullcontext(),
    ):
        parser = _Parser(rows, mapping, parameters)
        source = _MappedSource(paths.source_name(unit.name), mapping.name)
        result = loads.load_source(connection, source, parser=parser, accept_changes=accept_changes)
        if parser.missing:
            raise _request(mapping, unit.name, parser.missing)
        result.no_verdict, result.problems = parser.no_verdict, problems()
        if all_or_nothing and result.rejected:
            reasons = "; ".join(messages.reason_lines(result.reasons))
            raise NothingLoadedError(f"{result.source}: nothing loaded, {result.rejected:,} rejected: {reasons}")
        return result


def preview(mapping: Mapping, unit: Unit, parameters: Map[str, Any], *, rows_shown: int = 5) -> Preview:
    """Return what a load would do. Nothing is written."""
    result = Preview(paths.source_name(unit.name))
    with _rows(mapping, unit, parameters, documents.plain_opener) as (rows, problems):
        parser = _Parser(rows, mapping, parameters, stops=False)
        for batch in parser.batches(_MappedSource(result.name, mapping.name), 0, 1):
            for values in batch.rows:
                row: dict[str, Any] = dict.fromkeys(outcome.COLUMNS) | dict(zip(outcome.COLUMNS, values, strict=False))
                row |= {name: bool(row[name]) for name in validation.FLAGS}
                result.successes += row["success"]
                result.failures += not row["success"]
                if not row["success"] and row["error_type"]:
                    result.error_types[row["error_type"]] += 1
                if len(result.first) < rows_shown:
                    row["cost_usd"] = row["cost_usd"] if row["cost_source"] else None
                    result.first.append(row | {"tokens_used": row["tokens_used"] or None})
        result.no_verdict, result.missing = parser.no_verdict, parser.missing
        result.reasons, result.rejected = parser.refusals.reasons, parser.refusals.count
        result.problems = problems()
    return result


@contextmanager
def _rows(mapping: Mapping, unit: Unit, parameters: Map[str, Any], opener: Opener) -> Iterator[Any]:
    """Yield the rows of a unit, and a function that returns the faults of its files."""
    contents, broken = [], []
    for path in unit.files:
        try:
            with errors.input_faults(paths.shown_path(path)):
                contents.append(documents.opened(path, mapping.members, mapping.tables, opener, mapping.each))
        except OutcomesError as fault:
            broken.append(fault)
    databases = [each.database for each in contents if each.database]
    if len(databases) > 1:
        raise OutcomesError(f"{mapping.name} reads one database at a time: load {databases[1]} by itself")
    if broken and not contents:
        raise broken[0]
    if mapping.reads_database != bool(databases):
        rule = "reads no SQLite database" if databases else "reads SQLite databases only"
        raise OutcomesError(f"{paths.source_name(unit.name)}: {mapping.name} {rule}")
    everything = chain.from_iterable(_documents(content, broken) for content in contents)
    try:
        with sandbox.rows(mapping, everything, databases[0] if databases else None, parameters) as rows:
            counted = [UnreadableError(str(each.faults)) for each in contents if each.faults.count]
            faults = broken + counted
            if faults and len(unit.files) == len(broken):
                raise faults[0]
            yield rows, lambda: [str(fault) for fault in faults]
    except OutcomesError:
        # The faults of the files explain a SELECT that then fails.
        if broken and len(unit.files) == 1:
            raise broken[0] from None
        raise


def _documents(content: Opened, broken: list[OutcomesError]) -> Iterator[Document]:
    try:
        with errors.input_faults(content.name):
            yield from content.documents
    except OutcomesError as fault:
        broken.append(fault)


def _request(mapping: Mapping, name: str, missing: Counter[str]) -> OutcomesError:
    parts = []
    for parameter, count in missing.items():
        lack = "a time without an offset" if parameter == "zone" else f"no {parameter}"
        parts.append(f"{count:,} rows have {lack}: give {option(parameter)} ({mapping.parameters[parameter]})")
    return MissingParameterError(f"{paths.source_name(name)}: {'; '.join(parts)}")


class _MappedSource(Source):
    """The files of a unit, as a load has them in `load_history`: the event_ids tell what was loaded before."""

    def __init__(self, name: str, format: str) -> None:
        super().__init__(name, format, io.BytesIO(), is_final=True, size=0)

    def heads(self) -> list[tuple[int, str]]:
        return []

    def digests(self, end: int) -> Digests:
        return Digests(0, "", "")

    def checksum(self, start: int, end: int, checksum: int = 0) -> int:
        return 0


class _Parser(Parser):
    """Turns a mapping's rows into batches. Rows without a verdict are counted in `no_verdict`.

    `missing` counts the rows that lack what a parameter would give. If it `stops`, such a row ends the load before its
    batch is written."""

    def __init__(self, rows: sandbox.Rows, mapping: Mapping, parameters: Map[str, Any], *, stops: bool = True) -> None:
        super().__init__(outcome.horizon(clock.utc_now()))
        for name in ("event_id", "success"):
            if name not in rows.names:
                raise OutcomesError(f"the mapping {mapping.name} gives no column {name}")
        self._rows, self._mapping, self._stops = rows, mapping, stops
        self._zone = _zone(parameters.get("zone"))
        self._others = [name for name in rows.names if name not in FIELDS and name != REASON]
        self._asked = [name for name in REQUIRED if name in mapping.parameters and name not in parameters]
        self.no_verdict: Counter[str] = Counter()
        self.missing: Counter[str] = Counter()

    def batches(self, source: Source, start: int, first_line: int) -> Iterator[Batch]:
        end = 0
        for rows in self._rows.batches():
            traced = self._plain_rows(rows, end + 1)
            if traced is None:
                traced = list(self._traced(rows, end + 1))
            if self.missing and self._stops:
                return
            retrace = _Retrace(traced, rows, self._rows.names, end + 1)
            end += len(rows)
            yield Batch([row for *_, row in traced], 0, end + 1, retrace)

    def _plain_rows(self, rows: list[tuple[Any, ...]], first_number: int) -> list[NumberedRow] | None:
        """Return the rows of a batch that is valid as it is, None if a row of it is not: three times as fast."""
        names = self._rows.names
        if self._others or "attributes" in names or len({*names}) < len(names) or not {*REQUIRED} <= {*names}:
            return None
        verdict = names.index("success")
        numbers = [number for number, row in enumerate(rows, first_number) if row[verdict] is not None]
        without = [row for row in rows if row[verdict] is None]
        try:
            graded = [row for row in rows if row[verdict] is not None] if without else rows
            outcomes = msgspec.convert(graded, _plain_rows_type(tuple(names)))
        except (msgspec.ValidationError, UnicodeEncodeError):
            return None
        if any(Outcome.faults(each, self.horizon) for each in outcomes):
            return None
        for values in without:
            self.no_verdict[str(dict(zip(names, values, strict=True)).get(REASON) or NO_REASON)] += 1
        return [(number, b"", Outcome.row(each)) for number, each in zip(numbers, outcomes, strict=True)]

    def _traced(self, rows: list[tuple[Any, ...]], first_number: int) -> Iterator[NumberedRow]:
        """Yield the valid rows of a batch. Count the others, each with its faults."""
        for number, values in enumerate(rows, first_number):
            pairs = zip(self._rows.names, values, strict=True)
            fields = {name: value for name, value in pairs if value is not None}
            if "success" not in fields:
                self.no_verdict[str(fields.get(REASON, NO_REASON))] += 1
            elif self._is_complete(fields):
                try:
                    yield number, b"", self._row(self._outcome(fields))
                except InvalidOutcome as fault:
                    self.refusals.add(number, _as_json(fields), fault.faults)

    def _is_complete(self, fields: dict[str, Any]) -> bool:
        """Return False, and count it, if the row lacks what a parameter would give. Give its time the zone."""
        fields.pop(REASON, None)
        if "event_id" not in fields:
            raise OutcomesError(f"the mapping {self._mapping.name} gives a row without an event_id: each needs one")
        lacks = [name for name in self._asked if name not in fields]
        time = fields.get("timestamp")
        if isinstance(time, str) and time[-1:] != "Z" and (local := _localized(time, self._zone)) != time:
            if local is None:
                lacks.append("zone")
            fields["timestamp"] = local
        if lacks:
            self.missing.update(lacks)
        return not lacks

    def _outcome(self, fields: dict[str, Any]) -> Outcome:
        """Return the values of a row as an outcome. Those of columns that no outcome has are its attributes."""
        for name in validation.FLAGS:
            if fields.get(name) in (0, 1):
                fields[name] = bool(fields[name])
        if self._others or "attributes" in fields:
            fields = _with_attributes(fields, self._others)
        try:
            return msgspec.convert(fields, Outcome)
        except (msgspec.ValidationError, UnicodeEncodeError):
            return validation.parse_fields(fields)


@cache
def _plain_rows_type(names: tuple[str, ...]) -> Any:
    """Return a list of structs like Outcome, whose fields have the order of a mapping's columns: SQLite's tuples become
    such structs at once. Verdicts are 0 and 1 there, as SQLite has them."""
    fields: list[Any] = [(name, FIELDS[name].type if name in FIELDS else Any) for name in names]
    fields += [(name, FIELDS[name].type, None) for name in FIELDS if name not in names and name not in REQUIRED]
    types = {"event_id": outcome.Name, "success": Literal[0, 1], "timeout": Literal[0, 1, None]}
    fields = [(name, types.get(name, type), *default) for name, type, *default in fields]
    plain: Any = msgspec.defstruct("Plain", fields, array_like=True)
    return list[plain]


@dataclass(frozen=True)
class _Retrace:
    """Returns the rows of a batch again, each with its JSON, if the log rejects one."""

    traced: list[NumberedRow]
    rows: list[tuple[Any, ...]]
    names: list[str]
    first_number: int

    def __call__(self) -> Iterator[NumberedRow]:
        for number, _, row in self.traced:
            values = zip(self.names, self.rows[number - self.first_number], strict=True)
            yield number, _as_json({name: value for name, value in values if value is not None}), row


def _with_attributes(fields: dict[str, Any], others: list[str]) -> dict[str, Any]:
    try:
        attributes = json.loads(fields.get("attributes", "{}"))
    except (ValueError, TypeError, RecursionError):
        raise InvalidOutcome([Fault("is no JSON object", "attributes")]) from None
    if isinstance(attributes, dict):
        attributes |= {name: fields[name] for name in others if name in fields}
    known = {name: value for name, value in fields.items() if name in FIELDS}
    return {**known, "attributes": attributes or None}


def _as_json(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False, default=repr).encode("utf-8", "replace")


def _zone(name: str | None) -> tzinfo | None:
    return spellings.zone_named(name) if name else None


def _localized(text: str, zone: tzinfo | None) -> str | None:
    """Return a time without an offset with that of the zone, None without a zone; other texts as they are."""
    if not _NAIVE.fullmatch(text):
        return text
    if zone is None:
        return None
    try:
        moment: datetime = msgspec.convert(text + ("Z" if len(text) > 16 else ":00Z"), datetime)
    except msgspec.ValidationError:
        return text
    return moment.replace(tzinfo=zone).isoformat()
