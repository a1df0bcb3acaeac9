"""Drain: the outcomes that wait in spools go into the log, each exactly once."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from pathlib import Path

import msgspec

from model_outcomes.base import clock, paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake import loads, parser, sources
from model_outcomes.intake.parser import Row
from model_outcomes.log import relocation, spool, store
from model_outcomes.log.outcome import COLUMNS, horizon

EVENT_ID = COLUMNS.index("event_id")


class DrainResult(msgspec.Struct):
    """The result of a drain: lines by their outcome, and the spools that held them.

    `redated_count` of the accepted lay more than a day ahead and got the time of the drain; `renamed_count` had
    an event_id that was recorded before with another verdict and got a new one. `faults` says
    why a spool was left alone.
    """

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    redated_count: int = 0
    renamed_count: int = 0
    files: list[Path] = msgspec.field(default_factory=list)
    faults: list[str] = msgspec.field(default_factory=list)

    def remarks(self) -> list[str]:
        """Return what was changed in outcomes to keep them, a line each."""
        lines = []
        if self.redated_count:
            lines.append(
                f"{self.redated_count:,} outcomes were dated more than a day ahead of now (a wrong clock?):"
                " they got the time of this drain"
            )
        if self.renamed_count:
            lines.append(
                f"{self.renamed_count:,} outcomes had an event_id that was recorded before with another verdict:"
                " they got a new event_id, the old one with a ~ and a digest"
            )
        return lines


def drain(connection: sqlite3.Connection, database: Path) -> DrainResult:
    """Bring every outcome that waits for a database into its log, exactly once.

    Others may append meanwhile, and drain: a file that another drain is at work on is left to it. No acknowledged
    outcome is rejected: one that lies more than a day ahead gets the time of the drain, and one whose event_id has
    another verdict in the log a new event_id. Lines that are no outcomes are kept in `rejected_outcomes`. Spools that
    cannot be read, and files that are no spools, are left as they are and named in `faults`. Raises SQLite's errors if
    the database does not take the rows; what was not drained waits.
    """
    result = DrainResult()
    with store.full_durability(connection):  # the only other copy is about to be removed
        for path in [*paths.drained(database), *relocation.moved_spools(connection)]:
            try:
                for waiting in spool.claimed(path, database):
                    _drain_file(connection, database, path, waiting, result)
            except OSError as fault:
                result.faults.append(f"cannot drain {path}: {fault.strerror or fault}")
            except OutcomesError as fault:
                result.faults.append(f"cannot drain {path}: {fault}")
    return result


def _drain_file(
    connection: sqlite3.Connection, database: Path, spool_path: Path, waiting: Path, result: DrainResult
) -> None:
    now = clock.utc_now()
    # A spool is removed afterwards: every rejected line is kept.
    lines = parser.Parser(horizon(now), refusals=parser.Refusals(None), redate_to=now)
    with waiting.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        source = sources.Source(str(spool_path), "jsonl", stream, is_final=True, size=size)
        loaded = loads.load_source(connection, source, parser=lines, rename=_renamed)
    if not store.is_in_place(connection, database):
        raise OutcomesError(f"{database} was moved away meanwhile: the outcomes stay in the spool")
    waiting.unlink()
    result.accepted += loaded.accepted
    result.duplicates += loaded.duplicates
    result.rejected += loaded.rejected
    result.redated_count += len(lines.redated)
    result.renamed_count += loaded.renamed
    if spool_path not in result.files:
        result.files.append(spool_path)


def _renamed(row: Row) -> Row:
    """Return a row under another event_id, always the same one for the same outcome."""
    task_type, model_id, success = row[:3]
    digest = hashlib.sha256(f"{task_type}\0{model_id}\0{bool(success)}".encode()).hexdigest()
    return (*row[:EVENT_ID], f"{row[EVENT_ID][:480]}~{digest[:12]}", *row[EVENT_ID + 1 :])
