"""The inputs of a run, each read by a step: the spool, an older tool's JSON, the inbox, the orchestrator's table."""

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
from model_outcomes.intake.writer import LoadResult
from model_outcomes.job.summary import InboxSummary

REASONS_SHOWN = 5


@dataclass
class StepResult:
    """The result of a step: its part of the summary, how many outcomes, lines for the log, and faults."""

    summary: Any
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    lines: list[str] = field(default_factory=list)
    faults: list[OutcomesError] = field(default_factory=list)


@dataclass(frozen=True)
class Step:
    """`name` is the field of the summary that gets the step's part."""

    name: str
    take: Callable[[], StepResult]


def steps(
    connection: sqlite3.Connection, database: Path, legacy_json: Path | None, folder: Path | None, table: Path | None
) -> Iterator[Step]:
    """Yield the steps in their order; a step whose file or folder is None is left out."""
    yield Step("spool", lambda: _drain(connection, database))
    if legacy_json:
        yield Step("legacy", lambda: _import(connection, legacy_json))
    if folder:
        yield Step("inbox", lambda: _load(connection, folder, database))
    if table:
        yield Step("uok", lambda: _sync(connection, table))


def _drain(connection: sqlite3.Connection, database: Path) -> StepResult:
    result = drain.drain(connection, database)
    counts = (result.accepted, result.duplicates, result.rejected)
    lines = [f"spool: {_in_words(*counts)}"] if any(counts) else []
    lines += [f"spool: {result.corrected_count:,} corrected"] if result.corrected_count else []
    lines += [f"spool: {remark}" for remark in result.remarks()]
    faults = [OutcomesError(fault) for fault in result.faults]
    return StepResult(msgspec.to_builtins(result, enc_hook=str), *counts, lines, faults)


def _import(connection: sqlite3.Connection, path: Path) -> StepResult:
    rejects_before = _reject_count(connection)
    # Archive only the file that the run discovered itself. A file that the user named stays in its place.
    is_discovered = path == paths.absolute(legacy.DISCOVERED)
    result = (legacy.import_and_archive if is_discovered else legacy.import_file)(connection, path)
    # A cell that was rejected before is rejected again, but not counted again.
    rejected = _reject_count(connection) - rejects_before
    counts = f"{result.added:,} cells added to, {result.unchanged:,} unchanged, {len(result.faults):,} rejected"
    lines = [f"{path}: {counts}"] if result.added or rejected else []
    lines += [f"{path}: unchanged for a week, moved to {result.archived}"] if result.archived else []
    lines += [f"{cell}: {'; '.join(reasons)}" for cell, reasons in result.named_faults()] if rejected else []
    return StepResult(msgspec.to_builtins(result, enc_hook=str), rejected=rejected, lines=lines)


def _load(connection: sqlite3.Connection, folder: Path, database: Path) -> StepResult:
    result = inbox.load(connection, folder, database)
    new = [file for file in result.loaded
           if file.accepted or file.duplicates or file.rejected or file.corrected or file.changed
           or file.has_unfinished_line]  # fmt: skip
    summary = InboxSummary(
        [_loaded(file) for file in new], result.being_written, result.ignored, result.faulty,
        result.known + len(result.loaded) - len(new),
    )  # fmt: skip
    lines = []
    for file in new:
        lines.append(f"{file.source}: {_in_words(file.accepted, file.duplicates, file.rejected)}")
        lines += [f"  {remark}" for remark in file.remarks()]
        lines += [f"  {count:,} x {reason}" for reason, count in file.reasons.most_common(REASONS_SHOWN)]
        lines += ["  the last line has no newline yet: it waits"] if file.has_unfinished_line else []
    lines += [f"{path}: is being written, and waits" for path in result.being_written]
    return StepResult(
        summary,
        sum(file.accepted for file in new),
        sum(file.duplicates for file in new),
        sum(file.rejected for file in new),
        lines,
        result.faults,
    )


def _sync(connection: sqlite3.Connection, path: Path) -> StepResult:
    result = uok.sync(connection, path)
    counts = f"{result.added:,} added, {result.changed:,} changed, {result.rejected:,} rejected"
    lines = [f"{path}: {counts}"] if result.added or result.changed or result.rejected else []
    return StepResult(msgspec.to_builtins(result), rejected=result.rejected, lines=lines)


def _loaded(result: LoadResult) -> dict[str, Any]:
    return {
        "path": result.source,
        "accepted": result.accepted,
        "duplicates": result.duplicates,
        "rejected": result.rejected,
        "corrected": result.corrected,
        "changed": result.changed,
        "copies": result.copies,
        "repeats": result.repeats,
        "reasons": dict(result.reasons.most_common(REASONS_SHOWN)),
        "unknown_fields": result.unknown_fields,
        "other_unknown_fields": result.other_unknown_fields,
        "has_unfinished_line": result.has_unfinished_line,
        "damage": result.damage,
    }


def _reject_count(connection: sqlite3.Connection) -> int:
    count: int = connection.execute("select count(*) from rejected_outcomes").fetchone()[0]
    return count


def _in_words(accepted: int, duplicates: int, rejected: int) -> str:
    return f"{accepted:,} accepted, {duplicates:,} duplicates, {rejected:,} rejected"
