"""Aggregates of an older tool, taken over as opening balances: never as invented events.

The old JSON only ever grows, so its path is its identity: what it has more than its balances so
far is added, and content in which something shrank is refused rather than guessed at. A file whose
content was imported from another path is that file, moved or copied, and goes on from its balances.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from loader import outcome, store
from loader.errors import NothingLoadedError, OutcomesError

FORMAT = "legacy-json"
DISCOVERED = Path(".sf/model-performance.json")
ARCHIVE_AFTER = timedelta(days=7)

Count = Annotated[int, Meta(ge=0, le=10**12)]
COUNTS = ("successes", "failures", "timeouts", "total_tokens", "total_cost_nano_usd")


class Cell(msgspec.Struct, rename="camel"):
    """What the old tool knew of one model at one task type. Its `successRate` is derived from
    the counts, and rounded, and therefore not read."""

    successes: Count
    failures: Count
    timeouts: Count | None = None
    total_tokens: Annotated[int, Meta(ge=0, le=10**15)] | None = None
    total_cost: Annotated[float, Meta(ge=0, le=1e8)] | None = None
    last_used: Annotated[datetime, Meta(tz=True)] | None = None

    def balance(self) -> tuple[int, ...]:
        """The values of COUNTS."""
        cost = int((self.total_cost or 0.0) * 1e9 + 0.5)
        return (self.successes, self.failures, self.timeouts or 0, self.total_tokens or 0, cost)


_JSON_NAMES = {field.encode_name: field for field in msgspec.structs.fields(Cell)}


@dataclass
class LegacyResult:
    """What came of an import: cells with a new balance, cells as they were, faults by path, and
    where the file is now if it was archived."""

    source: str
    added: int = 0
    unchanged: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)
    archived: Path | None = None


@dataclass(frozen=True)
class Contents:
    """A legacy file, read: good cells by (task type, model), the others as (cell, its faults)."""

    sha256: str
    size: int
    cells: dict[tuple[str, str], Cell]
    bad_cells: dict[tuple[str, str], tuple[Any, list[str]]]


def take_over(
    connection: sqlite3.Connection, path: Path, *, now: datetime | None = None, all_or_nothing: bool = False
) -> LegacyResult:
    """Import the file of a tool that may still write it and, once neither the file nor what was
    imported from it has changed for ARCHIVE_AFTER before `now`, move it to archive/ beside it.

    A file that comes to the old place after that is another one, and counts from nothing.
    """
    result = import_file(connection, path, all_or_nothing=all_or_nothing)
    now = now or store.utc_now()
    latest = "select max(started_at) from load_history where source = ? and format = ?"
    (imported_at,) = connection.execute(latest, (result.source, FORMAT)).fetchone()
    changed_at = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
    if result.added or result.faults or not imported_at:
        return result
    if now - max(changed_at, outcome.parse_time(imported_at)) < ARCHIVE_AFTER:
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
    contents = read(path)
    source = str(store.absolute(path))
    result = LegacyResult(source, faults={_path(key): bad[1] for key, bad in contents.bad_cells.items()})
    if all_or_nothing and result.faults:
        said = "; ".join(f"{path}: {', '.join(reasons)}" for path, reasons in result.faults.items())
        raise NothingLoadedError(f"{source}: nothing imported, {len(result.faults):,} cells refused: {said}")
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
        now = store.to_text(store.utc_now())
        for key, cell in contents.cells.items():
            more = [new - old for new, old in zip(cell.balance(), before.get(key, (0,) * 5), strict=True)]
            if key in before and not any(more):
                result.unchanged += 1
                continue
            last_used = cell.last_used and store.to_text(cell.last_used)
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
                    json.dumps(cell)[:4096],
                    now,
                )
                for key, (cell, reasons) in contents.bad_cells.items()
            ),
        )
        connection.execute(
            "update load_history set accepted_count = ?, duplicate_count = ?, rejected_count = ?,"
            " finished_at = ? where load_id = ?",
            (result.added, result.unchanged, len(result.faults), now, load_id),
        )
    return result


def read(path: Path) -> Contents:
    """Read a legacy file; raises OutcomesError where it is not {task type: {model: {...}}}."""
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise OutcomesError(f"{store.absolute(path)}: {fault.strerror}") from None
    try:
        types = json.loads(content.decode("utf-8-sig") or "{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as fault:
        raise OutcomesError(f"{store.absolute(path)} is not JSON: {fault}") from None
    shape = f"{store.absolute(path)} is not legacy JSON of the form {{task type: {{model: {{...}}}}}}"
    if not isinstance(types, dict):
        raise OutcomesError(shape)
    cells: dict[tuple[str, str], Cell] = {}
    bad_cells: dict[tuple[str, str], tuple[Any, list[str]]] = {}
    for task_type, models in types.items():
        if not isinstance(models, dict):
            raise OutcomesError(f"{shape}: {task_type} holds no models")
        for model_id, cell in models.items():
            key = (task_type, model_id)
            found, faults = _checked(key, cell)
            if found is None:
                bad_cells[key] = (cell, faults)
            else:
                cells[key] = found
    return Contents(hashlib.sha256(content).hexdigest(), len(content), cells, bad_cells)


def _checked(key: tuple[str, str], cell: Any) -> tuple[Cell | None, list[str]]:
    """The cell, or every fault in it."""
    faults = [
        f"{part!r} is no name"
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
            faults.append(f"{name}: {said[:1].lower()}{said[1:]} ({json.dumps(value)})")
    if faults:
        return None, faults
    found = msgspec.convert(cell, Cell)
    if (found.timeouts or 0) > found.failures:
        return None, [f"timeouts ({found.timeouts}) exceed failures ({found.failures})"]
    return found, []


def _sources_of(connection: sqlite3.Connection, contents: Contents) -> set[str]:
    """The paths from which this very content was imported."""
    known = "select source from load_history where format = ? and head_sha256 = ?"
    return {source for (source,) in connection.execute(known, (FORMAT, contents.sha256))}


def _balances(connection: sqlite3.Connection, source: str) -> dict[tuple[str, str], tuple[int, ...]]:
    """What was taken over so far, from this path and from those that shared a content with it."""
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
    """A legacy file is known by all its bytes: one digest stands for head and tail."""
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
            store.to_text(store.utc_now()),
        ),
    ).lastrowid


def _path(key: tuple[str, str]) -> str:
    return ".".join(key)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
