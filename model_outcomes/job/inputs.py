"""What comes in: the spool, an older tool's JSON, the inbox, the orchestrator's table, each a step of a run."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from model_outcomes.base import paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake import drain, inbox, legacy, uok
from model_outcomes.intake.loads import LoadResult
from model_outcomes.job.summary import InboxSummary

REASONS = 5


@dataclass
class Came:
    """The outcome of a step: its part of the summary, outcomes counted, lines for the log, faults."""

    summary: Any
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    lines: list[str] = field(default_factory=list)
    faults: list[OutcomesError] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """`name` is that of its part in the summary."""

    name: str
    take: Callable[[], Came]


def steps(
    connection: sqlite3.Connection, database: Path, legacy_json: Path | None, folder: Path | None, table: Path | None
) -> Iterator[Step]:
    """Yield the steps in their order: spool and legacy JSON where there are any, the others where they are asked
    for."""
    yield Step("spool", lambda: _drain(connection, database))
    if legacy_json:
        yield Step("legacy", lambda: _import(connection, legacy_json))
    if folder:
        yield Step("inbox", lambda: _load(connection, folder, database))
    if table:
        yield Step("uok", lambda: _sync(connection, table))


def _drain(connection: sqlite3.Connection, database: Path) -> Came:
    result = drain.drain(connection, database)
    counts = (result.accepted, result.duplicates, result.rejected)
    lines = [f"spool: {_in_words(*counts)}"] if any(counts) else []
    lines += [f"spool: {remark}" for remark in result.remarks()]
    faults = [OutcomesError(fault) for fault in result.faults]
    return Came(msgspec.to_builtins(result, enc_hook=str), *counts, lines, faults)


def _import(connection: sqlite3.Connection, path: Path) -> Came:
    before = _rejects(connection)
    # Only a file that was found moves away in the end; one that was named has to stay where it was.
    is_found = path == paths.absolute(legacy.DISCOVERED)
    result = legacy.import_and_archive(connection, path) if is_found else legacy.import_file(connection, path)
    # A cell that was refused before is refused again, and not counted again.
    refused = _rejects(connection) - before
    counts = f"{result.added:,} cells added to, {result.unchanged:,} unchanged, {len(result.faults):,} refused"
    lines = [f"{path}: {counts}"] if result.added or refused else []
    lines += [f"{path}: unchanged for a week, moved to {result.archived}"] if result.archived else []
    lines += [f"{cell}: {'; '.join(reasons)}" for cell, reasons in result.named_faults()] if refused else []
    return Came(msgspec.to_builtins(result, enc_hook=str), rejected=refused, lines=lines)


def _load(connection: sqlite3.Connection, folder: Path, database: Path) -> Came:
    result = inbox.load(connection, folder, database)
    new = [one for one in result.loaded if one.accepted or one.duplicates or one.rejected or one.has_unfinished_line]
    summary = InboxSummary(
        [_loaded(one) for one in new], result.being_written, result.ignored, result.faulty,
        result.known + len(result.loaded) - len(new),
    )  # fmt: skip
    lines = []
    for one in new:
        lines.append(f"{one.source}: {_in_words(one.accepted, one.duplicates, one.rejected)}")
        lines += [f"  {count:,} x {reason}" for reason, count in one.reasons.most_common(REASONS)]
        lines += ["  the last line has no newline yet: it waits"] if one.has_unfinished_line else []
    lines += [f"{path}: is being written, and waits" for path in result.being_written]
    return Came(
        summary,
        sum(one.accepted for one in new),
        sum(one.duplicates for one in new),
        sum(one.rejected for one in new),
        lines,
        result.faults,
    )


def _sync(connection: sqlite3.Connection, path: Path) -> Came:
    result = uok.sync(connection, path)
    said = f"{path}: {result.added:,} added, {result.changed:,} changed, {result.rejected:,} rejected"
    lines = [said] if result.added or result.changed or result.rejected else []
    return Came(msgspec.to_builtins(result), rejected=result.rejected, lines=lines)


def _loaded(result: LoadResult) -> dict[str, Any]:
    return {
        "path": result.source,
        "accepted": result.accepted,
        "duplicates": result.duplicates,
        "rejected": result.rejected,
        "reasons": dict(result.reasons.most_common(REASONS)),
        "unknown_fields": result.unknown_fields,
        "other_unknown_fields": result.other_unknown_fields,
        "has_unfinished_line": result.has_unfinished_line,
        "damage": result.damage,
    }


def _rejects(connection: sqlite3.Connection) -> int:
    count: int = connection.execute("select count(*) from rejected_outcomes").fetchone()[0]
    return count


def _in_words(accepted: int, duplicates: int, rejected: int) -> str:
    return f"{accepted:,} accepted, {duplicates:,} duplicates, {rejected:,} rejected"
