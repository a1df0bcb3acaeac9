"""Aggregates of an older tool, taken over as opening balances: never as invented events.

The old JSON only ever grows, so its path is its identity: what it has more than its balances so
far is added, and content in which something shrank is refused rather than guessed at. A file whose
content was imported from another path is that file, moved or copied, and goes on from its balances.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from model_outcomes.base import clock, errors, paths
from model_outcomes.base.errors import NothingLoadedError, OutcomesError
from model_outcomes.intake import sources
from model_outcomes.intake.parser import RAW_LIMIT
from model_outcomes.log import outcome, store

FORMAT = "legacy-json"
DISCOVERED = Path(".sf/model-performance.json")
ARCHIVE_AFTER = timedelta(days=7)
SIZE_LIMIT = 100_000_000  # bytes
FAULTS_NAMED = 20

Count = Annotated[int, Meta(ge=0, le=10**12)]
COUNTS = ("successes", "failures", "timeouts", "total_tokens", "total_cost_nano_usd")


class Cell(msgspec.Struct, rename="camel"):
    """The old tool's totals of one model at one task type. Its `successRate` is derived from
    the counts, and rounded, and therefore not read."""

    successes: Count
    failures: Count
    timeouts: Count | None = None
    total_tokens: Annotated[int, Meta(ge=0, le=10**15)] | None = None
    total_cost: Annotated[float, Meta(ge=0, le=1e8)] | None = None
    last_used: Annotated[datetime, Meta(tz=True)] | None = None

    def balance(self) -> tuple[int, ...]:
        """Return the values of COUNTS."""
        cost = int((self.total_cost or 0.0) * 1e9 + 0.5)
        return (self.successes, self.failures, self.timeouts or 0, self.total_tokens or 0, cost)


_JSON_NAMES = {field.encode_name: field for field in msgspec.structs.fields(Cell)}


@dataclass
class LegacyResult:
    """The outcome of an import: cells with a new balance, unchanged cells, faults by path, and the new place of
    the file if it was archived."""

    source: str
    added: int = 0
    unchanged: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)
    archived: Path | None = None

    def named_faults(self) -> list[tuple[str, list[str]]]:
        """Return the first faults, for a message: a file may have a million."""
        return list(self.faults.items())[:FAULTS_NAMED]


@dataclass(frozen=True)
class Contents:
    """A legacy file, read: good cells by (task type, model), the others as (the beginning of its text, its faults)."""

    sha256: str
    size: int
    cells: dict[tuple[str, str], Cell]
    bad_cells: dict[tuple[str, str], tuple[str, list[str]]]


def import_and_archive(
    connection: sqlite3.Connection, path: Path, *, now: datetime | None = None, all_or_nothing: bool = False
) -> LegacyResult:
    """Import the file of a tool that may still write it and, once neither the file nor what was
    imported from it has changed for ARCHIVE_AFTER before `now`, move it to archive/ beside it.

    A file that comes to the old place after that is another one, and counts from nothing.
    """
    result = import_file(connection, path, all_or_nothing=all_or_nothing)
    now = now or clock.utc_now()
    latest = "select max(started_at) from load_history where source = ? and format = ?"
    (imported_at,) = connection.execute(latest, (result.source, FORMAT)).fetchone()
    if result.added or result.faults or not imported_at:
        return result
    # In seconds: the year of a file's time may be beyond 9999.
    latest_change = max(path.stat().st_mtime, outcome.parse_time(imported_at).timestamp())
    if now.timestamp() - latest_change < ARCHIVE_AFTER.total_seconds():
        return result
    archive = Path(result.source).parent / "archive"
    result.archived = archive / f"{path.stem}-{now:%Y%m%dT%H%M%S}{path.suffix}"
    # The balances go along, or stay with the file: under another path than it has they would count again.
    try:
        with store.transaction(connection):
            connection.execute(
                "update load_history set source = ? where source = ? and format = ?",
                (str(result.archived), result.source, FORMAT),
            )
            archive.mkdir(exist_ok=True)
            path.rename(result.archived)
    except OSError as fault:
        raise OutcomesError(f"cannot move {result.source} to {archive}: {fault.strerror}") from None
    except BaseException:
        if result.archived.exists() and not path.exists():
            result.archived.rename(path)
        raise
    return result


def import_file(connection: sqlite3.Connection, path: Path, *, all_or_nothing: bool = False) -> LegacyResult:
    """Add what a legacy file has more than its balances so far, in one transaction.

    Raises OutcomesError where the file is not of this kind, or a count in it has shrunk,
    NothingLoadedError where a cell is refused and `all_or_nothing` was asked for.
    """
    source = paths.source_name(path)
    with errors.naming(source):
        contents = read(path)
    result = LegacyResult(source, faults={_path(key): bad[1] for key, bad in contents.bad_cells.items()})
    if all_or_nothing and result.faults:
        reasons = "; ".join(f"{path}: {', '.join(reasons)}" for path, reasons in result.named_faults())
        raise NothingLoadedError(f"{source}: nothing imported, {len(result.faults):,} cells refused: {reasons}")
    with store.transaction(connection):
        known_sources = _sources_of(connection, contents)
        if known_sources:
            if contents.cells and source not in known_sources:
                _note_load(connection, source, contents)
            result.unchanged = len(contents.cells)
            return result
        before = _balances(connection, source)
        _refuse_shrinking(source, contents, before)
        load_id = _note_load(connection, source, contents)
        now = clock.to_text(clock.utc_now())
        for key, cell in contents.cells.items():
            more = [new - old for new, old in zip(cell.balance(), before.get(key, (0,) * 5), strict=True)]
            if key in before and not any(more):
                result.unchanged += 1
                continue
            last_used = cell.last_used and clock.to_text(cell.last_used)
            connection.execute(
                f"insert into legacy_model_stats (load_id, task_type, model_id, {', '.join(COUNTS)}, last_used)"
                " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                (load_id, *key, *more, last_used),
            )
            result.added += 1
        connection.executemany(
            "insert into rejected_outcomes (load_id, source, line_number, reasons, raw_text, rejected_at)"
            " values (?, ?, 0, ?, ?, ?)",
            (
                (
                    load_id,
                    source,
                    json.dumps([f"{_path(key)}: {reason}" for reason in reasons]),
                    raw_text,
                    now,
                )
                for key, (raw_text, reasons) in contents.bad_cells.items()
            ),
        )
        connection.execute(
            "update load_history set accepted_count = ?, duplicate_count = ?, rejected_count = ?,"
            " finished_at = ? where load_id = ?",
            (result.added, result.unchanged, len(result.faults), now, load_id),
        )
    return result


def read(path: Path) -> Contents:
    """Read a legacy file; raises OutcomesError if it is not {task type: {model: {...}}}, or too large to be."""
    content = _content(path)
    try:
        types = json.loads(content.decode("utf-8-sig") or "{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as fault:
        raise OutcomesError(f"{paths.absolute(path)} is not JSON: {fault}") from None
    shape = f"{paths.absolute(path)} is not legacy JSON of the form {{task type: {{model: {{...}}}}}}"
    if not isinstance(types, dict):
        raise OutcomesError(shape)
    cells: dict[tuple[str, str], Cell] = {}
    bad_cells: dict[tuple[str, str], tuple[str, list[str]]] = {}
    for task_type, models in types.items():
        if not isinstance(models, dict):
            raise OutcomesError(f"{shape}: {outcome.short(task_type)} holds no models")
        for model_id, cell in models.items():
            key = (task_type, model_id)
            found, faults = _checked(key, cell)
            if found is None:
                bad_cells[key] = (_raw_text(cell), faults)
            else:
                cells[key] = found
    return Contents(hashlib.sha256(content).hexdigest(), len(content), cells, bad_cells)


def _content(path: Path) -> bytes:
    """Return the bytes of a file or pipe. Raises OutcomesError if it cannot be read, or has over SIZE_LIMIT bytes."""
    name = paths.absolute(path)
    with errors.naming(name), path.open("rb", buffering=0) as file:
        sources.refuse_device(file.fileno())
        content = io.BufferedReader(file).read(SIZE_LIMIT + 1)
    if len(content) > SIZE_LIMIT:
        raise OutcomesError(f"{name} has over {SIZE_LIMIT:,} bytes: that is not a file of totals per model")
    return content


def _checked(key: tuple[str, str], cell: Any) -> tuple[Cell | None, list[str]]:
    """Return the cell, or every fault in it."""
    faults = [
        f"{outcome.short(part)} is no name"
        for part in key
        if not part.strip() or len(part) > 500 or re.search("[\0\ud800-\udfff]", part)
    ]
    if not isinstance(cell, dict):
        return None, [*faults, "is no object with counts"]
    for name, known in _JSON_NAMES.items():
        value = cell.get(name)
        if value is None:
            if known.required:
                faults.append(f"{name} is missing")
            continue
        try:
            msgspec.convert(value, known.type)
        except msgspec.ValidationError as fault:
            said = str(fault).replace("`", "").replace(" | null", "")
            faults.append(f"{name}: {said[:1].lower()}{said[1:]} ({outcome.short(value)})")
    if faults:
        return None, faults
    found = msgspec.convert(cell, Cell)
    if found.last_used and not _is_in_range(found.last_used):
        return None, [f"lastUsed: is no time of the years 1 to 9999 in UTC ({outcome.short(cell['lastUsed'])})"]
    if (found.timeouts or 0) > found.failures:
        return None, [f"timeouts ({found.timeouts}) exceed failures ({found.failures})"]
    return found, []


def _is_in_range(moment: datetime) -> bool:
    try:
        moment.astimezone(timezone.utc)
    except OverflowError:
        return False
    return True


def _sources_of(connection: sqlite3.Connection, contents: Contents) -> set[str]:
    """Return the paths from which this very content was imported."""
    known = "select source from load_history where format = ? and head_sha256 = ?"
    return {source for (source,) in connection.execute(known, (FORMAT, contents.sha256))}


def _balances(connection: sqlite3.Connection, source: str) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return what was taken over so far, from this path and from those that shared a content with it."""
    sums = ", ".join(f"sum({name})" for name in COUNTS)
    return {
        (task_type, model_id): tuple(balance)
        for task_type, model_id, *balance in connection.execute(
            "with recursive kin (source) as ("
            " select ? union select other.source from kin"
            " join load_history as known on known.source = kin.source and known.format = ?"
            " join load_history as other on other.head_sha256 = known.head_sha256 and other.format = known.format)"
            f" select task_type, model_id, {sums} from legacy_model_stats join load_history using (load_id)"
            " where source in (select source from kin) group by task_type, model_id",
            (source, FORMAT),
        )
    }


def _refuse_shrinking(source: str, contents: Contents, before: dict[tuple[str, str], tuple[int, ...]]) -> None:
    for key, old in before.items():
        if key in contents.bad_cells:
            continue
        cell = contents.cells.get(key)
        if cell is None:
            raise OutcomesError(f"{source}: {_path(key)} was imported before and is gone; nothing was changed")
        for name, new, imported in zip(COUNTS, cell.balance(), old, strict=True):
            if new < imported:
                raise OutcomesError(
                    f"{source}: {name} of {_path(key)} shrank from {imported} to {new} since the last import;"
                    " nothing was changed"
                )


def _note_load(connection: sqlite3.Connection, source: str, contents: Contents) -> int | None:
    """Note the import of a legacy file, which is known by all its bytes: one digest is that of head and tail."""
    return connection.execute(
        "insert into load_history (source, format, start_offset, end_offset, end_line, head_bytes,"
        " head_sha256, tail_sha256, started_at) values (?, ?, 0, ?, 0, ?, ?, ?, ?)",
        (
            source,
            FORMAT,
            contents.size,
            contents.size,
            contents.sha256,
            contents.sha256,
            clock.to_text(clock.utc_now()),
        ),
    ).lastrowid


def _path(key: tuple[str, str]) -> str:
    """Return a cell as text for messages: names may be long, or hold what is no text."""
    path = ".".join(part if len(part) <= 500 else f"{part[:500]}..." for part in key)
    return path.encode("utf-8", "backslashreplace").decode()


def _raw_text(cell: Any) -> str:
    try:
        return json.dumps(cell)[:RAW_LIMIT]
    except RecursionError:
        return outcome.short(cell)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
