"""Totals of an older tool, which become opening balances and never invented events.

The counts of the old JSON only grow, so a file is identified by its path: an import adds what the file has more than
its balances. A file in which a count shrank is rejected. A file whose content was imported from another path was moved
or copied, and continues from the balances of that path.
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

from model_outcomes.base import clock, errors, messages, paths
from model_outcomes.base.errors import NothingLoadedError, OutcomesError
from model_outcomes.base.messages import Fault, short
from model_outcomes.intake import opening
from model_outcomes.log import load_history, store, validation
from model_outcomes.log.load_history import RAW_LIMIT_BYTES, RejectedLine

FORMAT = "legacy-json"
DISCOVERED = Path(".sf/model-performance.json")
ARCHIVE_AFTER = timedelta(days=7)
SIZE_LIMIT_BYTES = 100_000_000
NAME_CHARACTERS = 500

Count = Annotated[int, Meta(ge=0, le=10**12)]
COUNTS = ("successes", "failures", "timeouts", "total_tokens", "total_cost_nano_usd")


class Cell(msgspec.Struct, rename="camel"):
    """The old tool's totals of one model at one task type. Its `successRate` is rounded and follows from the counts, so
    it is not read."""

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
    """The result of an import: the numbers of cells that were added to and that are unchanged, the faults of rejected
    cells, and the new path of an archived file."""

    source: str
    added: int = 0
    unchanged: int = 0
    faults: dict[str, list[str]] = field(default_factory=dict)
    archived: Path | None = None

    def named_faults(self) -> list[tuple[str, list[str]]]:
        """Return the first faults, for a message. A file may have a million."""
        return list(self.faults.items())[: messages.NAMES_SHOWN]


@dataclass(frozen=True)
class Contents:
    """The content of a legacy file. Cells go by (task type, model); a bad cell is the beginning of its text, and its
    faults."""

    sha256: str
    size: int
    cells: dict[tuple[str, str], Cell]
    bad_cells: dict[tuple[str, str], tuple[str, list[Fault]]]


def import_and_archive(
    connection: sqlite3.Connection, path: Path, *, now: datetime | None = None, all_or_nothing: bool = False
) -> LegacyResult:
    """Import a file that the old tool may still write. If neither the file nor its balances have changed for
    ARCHIVE_AFTER before `now`, move the file to archive/ beside it.

    A later file at the old path is another one and has no balances.
    """
    result = import_file(connection, path, all_or_nothing=all_or_nothing)
    now = now or clock.utc_now()
    latest = "select max(started_at) from load_history where source = ? and format = ?"
    (imported_at,) = connection.execute(latest, (result.source, FORMAT)).fetchone()
    if result.added or result.faults or not imported_at:
        return result
    # In seconds, because the time of a file may be after the year 9999.
    latest_change = max(path.stat().st_mtime, validation.parse_time(imported_at).timestamp())
    if now.timestamp() - latest_change < ARCHIVE_AFTER.total_seconds():
        return result
    archive = Path(result.source).parent / "archive"
    result.archived = archive / f"{path.stem}-{now:%Y%m%dT%H%M%S}{path.suffix}"
    # In one transaction: if the balances had another path than the file, they would count again.
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
    """Add what a legacy file has more than its balances, in one transaction.

    Raises OutcomesError if the file is not of this kind or a count has shrunk, NothingLoadedError if a cell is rejected
    and `all_or_nothing`.
    """
    source = paths.source_name(path)
    with errors.input_faults(source):
        contents = read(path)
    faults = {_path(key): list(map(str, faults)) for key, (_, faults) in contents.bad_cells.items()}
    result = LegacyResult(source, faults=faults)
    if all_or_nothing and result.faults:
        reasons = "; ".join(f"{path}: {', '.join(reasons)}" for path, reasons in result.named_faults())
        raise NothingLoadedError(f"{source}: nothing imported, {len(result.faults):,} cells rejected: {reasons}")
    with store.transaction(connection):
        earlier_sources = _sources_of(connection, contents)
        if earlier_sources:
            if contents.cells and source not in earlier_sources:
                _note_load(connection, source, contents)
            result.unchanged = len(contents.cells)
            return result
        before = _balances(connection, source)
        _refuse_shrinking(source, contents, before)
        load_id = _note_load(connection, source, contents)
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
        load_history.reject(
            connection, load_id, source,
            (
                RejectedLine(0, messages.as_json(fault._replace(field=_field(key, fault)) for fault in faults), text)
                for key, (text, faults) in contents.bad_cells.items()
            ),
        )  # fmt: skip
        load_history.end(
            connection, load_id, accepted_count=result.added, duplicate_count=result.unchanged,
            rejected_count=len(contents.bad_cells),
        )  # fmt: skip
    return result


def read(path: Path) -> Contents:
    """Read a legacy file. Raises OutcomesError if it is too large, or not {task type: {model: {...}}}."""
    content = _content(path)
    try:
        types = json.loads(content.decode("utf-8-sig") or "{}", parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as fault:
        raise OutcomesError(f"{paths.absolute(path)} is not JSON: {fault}") from None
    shape = f"{paths.absolute(path)} is not legacy JSON of the form {{task type: {{model: {{...}}}}}}"
    if not isinstance(types, dict):
        raise OutcomesError(shape)
    cells: dict[tuple[str, str], Cell] = {}
    bad_cells: dict[tuple[str, str], tuple[str, list[Fault]]] = {}
    for task_type, models in types.items():
        if not isinstance(models, dict):
            raise OutcomesError(f"{shape}: {short(task_type)} holds no models")
        for model_id, cell in models.items():
            key = (task_type, model_id)
            totals, faults = _checked(key, cell)
            if totals is None:
                bad_cells[key] = (_raw_text(cell), faults)
            else:
                cells[key] = totals
    return Contents(hashlib.sha256(content).hexdigest(), len(content), cells, bad_cells)


def _content(path: Path) -> bytes:
    """Return the bytes of a file or pipe. Raises OutcomesError if it cannot be read, or has over SIZE_LIMIT_BYTES."""
    name = paths.absolute(path)
    with errors.input_faults(name), path.open("rb", buffering=0) as file:
        opening.refuse_device(file.fileno())
        content = io.BufferedReader(file).read(SIZE_LIMIT_BYTES + 1)
    if len(content) > SIZE_LIMIT_BYTES:
        raise OutcomesError(f"{name} has over {SIZE_LIMIT_BYTES:,} bytes: that is not a file of totals per model")
    return content


def _checked(key: tuple[str, str], cell: Any) -> tuple[Cell | None, list[Fault]]:
    """Return the cell, or every fault in it."""
    faults = [
        Fault("is no name", got=short(part))
        for part in key
        if not part.strip() or len(part) > NAME_CHARACTERS or re.search("[\0\ud800-\udfff]", part)
    ]
    if not isinstance(cell, dict):
        return None, [*faults, Fault("is no object with counts")]
    for name, field_info in _JSON_NAMES.items():
        value = cell.get(name)
        if value is None:
            faults += [Fault("is missing", name)] if field_info.required else []
            continue
        try:
            msgspec.convert(value, field_info.type)
        except msgspec.ValidationError as fault:
            faults.append(Fault(messages.mismatch(fault).problem, name, short(value)))
    if faults:
        return None, faults
    totals = msgspec.convert(cell, Cell)
    if totals.last_used and not _is_in_range(totals.last_used):
        return None, [Fault("expected a time of the years 1 to 9999 in UTC", "lastUsed", short(cell["lastUsed"]))]
    if (totals.timeouts or 0) > totals.failures:
        return None, [Fault("exceed failures", "timeouts", f"{totals.timeouts} for {totals.failures}")]
    return totals, []


def _is_in_range(moment: datetime) -> bool:
    try:
        moment.astimezone(timezone.utc)
    except OverflowError:
        return False
    return True


def _sources_of(connection: sqlite3.Connection, contents: Contents) -> set[str]:
    """Return the paths from which the same content was imported."""
    query = "select source from load_history where format = ? and head_sha256 = ?"
    return {source for (source,) in connection.execute(query, (FORMAT, contents.sha256))}


def _balances(connection: sqlite3.Connection, source: str) -> dict[tuple[str, str], tuple[int, ...]]:
    """Return the balances by cell, of this path and of paths that once had the same content."""
    sums = ", ".join(f"sum({name})" for name in COUNTS)
    return {
        (task_type, model_id): tuple(balance)
        for task_type, model_id, *balance in connection.execute(
            "with recursive kin (source) as ("
            " select ? union select other.source from kin"
            " join load_history as own on own.source = kin.source and own.format = ?"
            " join load_history as other on other.head_sha256 = own.head_sha256 and other.format = own.format)"
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


def _note_load(connection: sqlite3.Connection, source: str, contents: Contents) -> int:
    """Note the import of a legacy file. One digest of all its bytes serves as head and tail."""
    digests = {"head_sha256": contents.sha256, "tail_sha256": contents.sha256}
    return load_history.begin(connection, source, FORMAT, end_offset=contents.size, head_bytes=contents.size, **digests)


def _field(key: tuple[str, str], fault: Fault) -> str:
    return f"{_path(key)}: {fault.field}" if fault.field else _path(key)


def _path(key: tuple[str, str]) -> str:
    """Return the path of a cell for messages. Names may be long, or invalid text."""
    path = ".".join(part if len(part) <= NAME_CHARACTERS else f"{part[:NAME_CHARACTERS]}..." for part in key)
    return path.encode("utf-8", "backslashreplace").decode()


def _raw_text(cell: Any) -> str:
    try:
        return json.dumps(cell)[:RAW_LIMIT_BYTES]
    except RecursionError:
        return short(cell)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
