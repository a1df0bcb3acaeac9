"""Loading a file: what is new in it goes into the log, a batch and its bookkeeping at a time."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import astuple, dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from model_outcomes.base import clock, errors, locks, paths
from model_outcomes.base.errors import NothingLoadedError, OutcomesError
from model_outcomes.intake import legacy
from model_outcomes.intake.parser import RAW_LIMIT, Batch, Parser, Refusals, Reject, Row
from model_outcomes.intake.sources import Source, open_source
from model_outcomes.log import outcome, store
from model_outcomes.log.outcome import COLUMNS, INSERT

# The log has triggers, for whose sake SQLite notes the pages that a statement changes, so that it can take the
# statement back. Many rows a statement halve what an insert costs. (SQLite takes 32,766 values at most.)
ROWS_PER_INSERT = 500
INSERT_MANY = INSERT + f", ({', '.join('?' * len(COLUMNS))})" * (ROWS_PER_INSERT - 1)


@dataclass
class LoadResult:
    """The outcome of loading one file. `unknown_fields` counts the fields that were ignored, by their names
    (20 of them, and `other_unknown_fields` in all under further names); `reasons` counts the faults of
    rejected lines, without the wrong values; `damage` says why the file could not be read to its end; `renamed`
    counts the accepted lines whose event_id belonged to another outcome."""

    source: str
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    renamed: int = 0
    skipped_bytes: int = 0
    has_unfinished_line: bool = False
    damage: str | None = None
    unknown_fields: dict[str, int] = field(default_factory=dict)
    other_unknown_fields: int = 0
    reasons: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class Position:
    """The place where a source goes on: all before it was loaded already."""

    offset: int = 0
    line: int = 1


def loading(database: Path) -> AbstractContextManager[None]:
    """Hold the lock of loads: two loads of the same file would both find it new."""
    return locks.exclusive(paths.load_lock(database), "a load", wait=store.busy_timeout())


def load_file(
    connection: sqlite3.Connection,
    name: str,
    *,
    format: str | None = None,
    is_final: bool = False,
    refuses_unknown: bool = False,
    all_or_nothing: bool = False,
    file: BinaryIO | None = None,
    is_settled: bool = True,
    progress: Callable[[int, int], None] = lambda done, size: None,
) -> LoadResult:
    """Load what is new in a file (`-`: standard input) into the log. Call it within `loading`.

    Each batch is one transaction with its line of `load_history`: a load that was killed goes on
    where it stopped. `all_or_nothing` makes one transaction of the whole file, which other writers
    wait for. `progress` is called with the bytes read and the bytes in all, after each batch.
    `file` and `is_settled` are for `open_source`. Raises OutcomesError if the file as a whole cannot be read,
    for any reason; NothingLoadedError if a line was rejected and `all_or_nothing` asked for.
    """
    unit = store.transaction(connection) if all_or_nothing else nullcontext()
    opened = open_source(name, format, is_final=is_final, file=file, is_settled=is_settled)
    with errors.naming(paths.source_name(name)), opened as source, unit:
        result = load_source(connection, source, refuses_unknown=refuses_unknown, progress=progress)
        if all_or_nothing and result.rejected:
            reasons = "; ".join(f"{count:,} x {reason}" for reason, count in result.reasons.most_common(5))
            raise NothingLoadedError(f"{source.name}: nothing loaded, {result.rejected:,} rejected: {reasons}")
        return result


def load_source(
    connection: sqlite3.Connection,
    source: Source,
    *,
    refuses_unknown: bool = False,
    parser: Parser | None = None,
    rename: Callable[[Row], Row] | None = None,
    progress: Callable[[int, int], None] = lambda done, size: None,
) -> LoadResult:
    """Load as `load_file`, from a source that is open.

    `parser` takes the place of the usual one. A row that the log refuses is tried again as `rename` returns it.
    """
    position = find_position(connection, source)
    parser = parser or Parser(outcome.horizon(clock.utc_now()), refuses_unknown)
    result = LoadResult(source.name, skipped_bytes=position.offset, unknown_fields=parser.unknown_fields.counts)
    writer = _Writer(connection, source, position, result, parser.refusals, rename)
    batch = None
    for batch in parser.batches(source, position.offset, position.line):
        writer.write(batch)
        progress(batch.end, source.size)
    if source.damage and batch:
        # Refused, but not passed over: the whole file, when it comes, goes on from here.
        source.stream.seek(batch.end)
        parser.refusals.add(batch.end_line, source.stream.read(RAW_LIMIT), [source.damage])
        writer.write(Batch([], batch.end, batch.end_line, tuple))
    writer.finish()
    result.other_unknown_fields = parser.unknown_fields.others
    result.has_unfinished_line, result.damage = source.has_unfinished_line, source.damage
    return result


def find_position(connection: sqlite3.Connection, source: Source) -> Position:
    """Return the end of the longest load whose bytes the source begins with, under any name.

    The index is asked for each place where a load may have ended: the time depends on the source alone, not on
    how many files were loaded before.
    """
    for head in source.heads():
        loads = connection.execute(
            "select end_offset, end_line, tail_sha256 from load_history"
            f" where head_bytes = ? and head_sha256 = ? and end_offset > 0 and format <> '{legacy.FORMAT}'"
            " order by end_offset desc",
            head,
        )
        for end_offset, end_line, tail_sha256 in loads:
            digests = source.digests(end_offset)
            if digests and digests.tail_sha256 == tail_sha256:
                return Position(end_offset, end_line)
    return Position()


class _Writer:
    """Writes batches of one source, and its row of `load_history` with each of them."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        source: Source,
        position: Position,
        result: LoadResult,
        refusals: Refusals,
        rename: Callable[[Row], Row] | None,
    ) -> None:
        self._rename = rename
        self._connection = connection
        self._source = source
        self._start = position.offset
        self._result = result
        self._refusals = refusals
        self._kept_count = 0
        self._more_id: int | None = None
        self._load_id: int | None = None
        self._started_at = clock.to_text(clock.utc_now())

    def write(self, batch: Batch) -> None:
        """Write rows, rejects and how far the source was read, in one transaction."""
        connection, result, refusals = self._connection, self._result, self._refusals
        digests = self._source.digests(batch.end)
        if digests is None:
            raise OutcomesError(f"{self._source.name} was cut short while it was read: load it again")
        with store.transaction(connection):
            invalid = refusals.count
            accepted = result.accepted + self._insert(batch)
            seen = result.accepted + result.duplicates + len(batch.rows)
            duplicates = seen - accepted - (refusals.count - invalid)
            if self._load_id is None:
                self._load_id = connection.execute(
                    "insert into load_history (source, format, start_offset, end_offset, end_line,"
                    " head_bytes, head_sha256, tail_sha256, started_at)"
                    " values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        self._source.name,
                        self._source.format,
                        self._start,
                        batch.end,
                        batch.end_line,
                        *astuple(digests),
                        self._started_at,
                    ),
                ).lastrowid
            connection.execute(
                "update load_history set end_offset = ?, end_line = ?, head_bytes = ?, head_sha256 = ?,"
                " tail_sha256 = ?, accepted_count = ?, duplicate_count = ?, rejected_count = ?"
                " where load_id = ?",
                (batch.end, batch.end_line, *astuple(digests), accepted, duplicates, refusals.count, self._load_id),
            )
            self._keep(refusals.taken(), batch.end_line)
        result.accepted, result.duplicates, result.rejected = accepted, duplicates, refusals.count
        result.reasons = refusals.reasons

    def finish(self) -> None:
        if self._load_id is not None:
            with store.transaction(self._connection):
                self._connection.execute(
                    "update load_history set finished_at = ? where load_id = ?",
                    (clock.to_text(clock.utc_now()), self._load_id),
                )

    def _insert(self, batch: Batch) -> int:
        """Insert the rows and return how many are new; those that the log's own guards refuse are refusals."""
        connection = self._connection
        before = connection.total_changes
        connection.execute("savepoint batch")
        try:
            whole = len(batch.rows) - len(batch.rows) % ROWS_PER_INSERT
            for start in range(0, whole, ROWS_PER_INSERT):
                connection.execute(INSERT_MANY, [*chain.from_iterable(batch.rows[start : start + ROWS_PER_INSERT])])
            connection.executemany(INSERT, batch.rows[whole:])
            connection.execute("release batch")
            return connection.total_changes - before
        except sqlite3.IntegrityError:
            connection.execute("rollback to batch")
            connection.execute("release batch")
        before = connection.total_changes
        for number, raw, row in batch.retrace():
            try:
                connection.execute(INSERT, row)
            except sqlite3.IntegrityError as fault:
                if not self._insert_renamed(row):
                    self._refusals.add(number, raw, [_refusal(fault)])
        return connection.total_changes - before

    def _insert_renamed(self, row: Row) -> bool:
        if self._rename is None:
            return False
        try:
            self._connection.execute(INSERT, self._rename(row))
        except sqlite3.IntegrityError:
            return False
        self._result.renamed += 1
        return True

    def _keep(self, rejects: list[Reject], line_number: int) -> None:
        """Write the rejects of a batch; the number of those that are not kept is one row, which grows."""
        self._kept_count += len(rejects)
        for reject in rejects:
            self._keep_one(reject.line_number, reject.reasons, reject.raw_text)
        more = self._refusals.count - self._kept_count
        if not more:
            return
        reasons = [f"and {more:,} more lines of this file were rejected, and are not kept"]
        if self._more_id is None:
            self._more_id = self._keep_one(line_number, reasons, "")
        else:
            self._connection.execute(
                "update rejected_outcomes set reasons = ? where rejected_id = ?", (json.dumps(reasons), self._more_id)
            )

    def _keep_one(self, line_number: int, reasons: list[str], raw_text: str) -> int | None:
        return self._connection.execute(
            "insert into rejected_outcomes (load_id, source, line_number, reasons, raw_text, rejected_at)"
            " values (?, ?, ?, ?, ?, ?)",
            (
                self._load_id,
                self._source.name,
                line_number,
                json.dumps(reasons, ensure_ascii=False),
                raw_text,
                clock.to_text(clock.utc_now()),
            ),
        ).lastrowid


def _refusal(fault: sqlite3.IntegrityError) -> str:
    """Return a refusal of the log in words. The name of a check says what it asks for: tokens_used_is_0_to_1e12."""
    said = str(fault)
    return said.removeprefix("CHECK constraint failed: ").replace("_", " ") if "CHECK" in said else said
