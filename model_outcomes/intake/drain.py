"""Draining: outcomes that wait in spools go into the log, each exactly once."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import suppress
from pathlib import Path

import msgspec

from model_outcomes.base import clock, paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake import loads, parser, sources
from model_outcomes.intake.batches import Refusals, Row
from model_outcomes.log import corrections, relocation, spool, store
from model_outcomes.log.outcome import COLUMNS, InvalidOutcome, horizon

EVENT_ID = COLUMNS.index("event_id")
EVENT_ID_CHARACTERS = 480  # kept of an event_id that gets a new end


class DrainResult(msgspec.Struct):
    """The result of a drain: counts of lines, and the spools that held them.

    Of the accepted lines, `redated_count` had a time more than a day ahead and got the time of the drain, and
    `renamed_count` had the event_id of an outcome with another verdict and got a new event_id. `corrected_count`
    corrections were made. `faults` says why a
    spool was not drained.
    """

    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    redated_count: int = 0
    renamed_count: int = 0
    corrected_count: int = 0
    files: list[Path] = msgspec.field(default_factory=list)
    faults: list[str] = msgspec.field(default_factory=list)

    def remarks(self) -> list[str]:
        """Return a line for each kind of change that was made to outcomes."""
        lines = []
        if self.redated_count:
            lines.append(
                f"{self.redated_count:,} outcomes had a time more than a day ahead (a wrong clock?):"
                " they got the time of this drain"
            )
        if self.renamed_count:
            lines.append(
                f"{self.renamed_count:,} outcomes had the event_id of an outcome with another verdict:"
                " they got a new event_id, the old one with ~ and a digest"
            )
        return lines


def drain(connection: sqlite3.Connection, database: Path) -> DrainResult:
    """Append every outcome that waits for a database to its log, exactly once.

    Other processes may append to spools and drain at the same time; each file is drained by one of them. No
    acknowledged outcome is rejected: a time more than a day ahead becomes the time of the drain, and an event_id that
    has another verdict in the log is replaced. Invalid lines go to `rejected_outcomes`. A spool that cannot be read,
    and a file that is no spool, stays as it is and is named in `faults`. Raises SQLite's errors if the database does
    not take the rows; the rest then stays in the spools.
    """
    result = DrainResult()
    (last_reject,) = connection.execute("select coalesce(max(rejected_id), 0) from rejected_outcomes").fetchone()
    with store.synchronous(connection, "full"):  # because the only other copy is removed afterwards
        for path in [*paths.drained(database), *relocation.moved_spools(connection)]:
            try:
                for waiting in spool.claimed(path, database):
                    _drain_file(connection, database, path, waiting, result)
            except OSError as fault:
                result.faults.append(f"cannot drain {path}: {fault.strerror or fault}")
            except OutcomesError as fault:
                result.faults.append(f"cannot drain {path}: {fault}")
        _correct_late(connection, last_reject, result)
    return result


def _drain_file(
    connection: sqlite3.Connection, database: Path, spool_path: Path, waiting: Path, result: DrainResult
) -> None:
    now = clock.utc_now()
    # The spool is removed afterwards, so every rejected line is kept.
    lines = parser.Parser(horizon(now), refusals=Refusals(None), redate_to=now)
    with waiting.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        source = sources.Source(str(spool_path), "jsonl", stream, is_final=True, size=size)
        loaded = loads.load_source(connection, source, distinct=True, parser=lines, rename=_renamed)
    if not store.is_in_place(connection, database):
        raise OutcomesError(f"{database} was moved away during the drain: the outcomes stay in the spool")
    waiting.unlink()
    result.accepted += loaded.accepted
    result.duplicates += loaded.duplicates
    result.rejected += loaded.rejected
    result.redated_count += len(lines.redated)
    result.renamed_count += loaded.renamed
    result.corrected_count += loaded.corrected
    if spool_path not in result.files:
        result.files.append(spool_path)


def _correct_late(connection: sqlite3.Connection, last_reject: int, result: DrainResult) -> None:
    """Make the corrections that were rejected because their outcomes waited in a spool that was drained later."""
    rejects = connection.execute(
        "select rejected_id, load_id, source, raw_text from rejected_outcomes where rejected_id > ?"
        " order by rejected_id",
        (last_reject,),
    ).fetchall()
    for rejected_id, load_id, source, text in rejects:
        with suppress(InvalidOutcome, sqlite3.IntegrityError), store.transaction(connection):
            correction = corrections.parse_line(text.encode()) if Path(source) in result.files else None
            if correction is None:
                continue
            result.corrected_count += connection.execute(corrections.INSERT, correction.row()).rowcount
            connection.execute("delete from rejected_outcomes where rejected_id = ?", (rejected_id,))
            connection.execute(
                "update load_history set rejected_count = rejected_count - 1, accepted_count = accepted_count + 1"
                " where load_id = ?",
                (load_id,),
            )
            result.rejected -= 1


def _renamed(row: Row) -> Row:
    """Return a row with another event_id, which is always the same for the same outcome."""
    task_type, model_id, success = row[:3]
    digest = hashlib.sha256(f"{task_type}\0{model_id}\0{bool(success)}".encode()).hexdigest()
    return (*row[:EVENT_ID], f"{row[EVENT_ID][:EVENT_ID_CHARACTERS]}~{digest[:12]}", *row[EVENT_ID + 1 :])
