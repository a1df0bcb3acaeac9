"""Loads of files: new lines go into the log, batch by batch, each with its bookkeeping in one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO

from model_outcomes.base import clock, errors, locks, messages, paths
from model_outcomes.base.errors import NothingLoadedError, OutcomesError
from model_outcomes.base.messages import Fault
from model_outcomes.intake import legacy
from model_outcomes.intake.parser import Batch, Parser, Refusals, Row
from model_outcomes.intake.sources import Source, open_source
from model_outcomes.log import load_history, outcome, store, validation
from model_outcomes.log.load_history import RAW_LIMIT_BYTES, RejectedLine
from model_outcomes.log.outcome import COLUMNS, INSERT
from model_outcomes.log.validation import UnknownFields

# Because the log has triggers, SQLite keeps a copy of the pages that a statement changes. Many rows in a statement
# halve the time of an insert. (SQLite takes 32,766 values at most.)
ROWS_PER_INSERT = 500, 20
INSERTS = {rows: INSERT + f", ({', '.join('?' * len(COLUMNS))})" * (rows - 1) for rows in ROWS_PER_INSERT}


@dataclass
class LoadResult:
    """The result of the load of one file.

    `unknown_fields` counts the fields that became attributes, or were ignored, by name (the first 20 names;
    `other_unknown_fields` counts the rest).
    `reasons` counts the faults of rejected lines, without the wrong values. `damage` says why the file could not be
    read to its end. `renamed` counts the accepted lines whose event_id belonged to another outcome. Of a mapping,
    `no_verdict` counts the rows without a verdict by their reason, and `problems` are the faults of files among
    others."""

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
    no_verdict: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Position:
    """The place in a source where the load continues: earlier loads read all before it."""

    offset: int = 0
    line: int = 1


def lock(database: Path) -> AbstractContextManager[None]:
    """Hold the lock of loads, because two loads at the same time would both find a file new."""
    return locks.exclusive(paths.load_lock(database), "a load", wait=store.busy_timeout())


def load_file(
    connection: sqlite3.Connection,
    name: str,
    *,
    format: str | None = None,
    is_final: bool = False,
    extra: validation.Extra = "keep",
    all_or_nothing: bool = False,
    file: BinaryIO | None = None,
    is_settled: bool = True,
    progress: Callable[[int, int], None] = lambda done, size: None,
) -> LoadResult:
    """Load the new lines of a file (`-`: standard input) into the log. Call it within `loading`.

    Each batch is a transaction that includes its row of `load_history`, so that a load that was killed continues
    where it stopped. `all_or_nothing` makes one transaction of the whole file, for which other writers wait.
    `progress` is called with the bytes read and the size in bytes, after each batch. `file` and `is_settled` are for
    `open_source`. Raises OutcomesError if the file cannot be read, NothingLoadedError if `all_or_nothing` and a line
    was rejected.
    """
    unit = store.transaction(connection) if all_or_nothing else nullcontext()
    opened = open_source(name, format, is_final=is_final, file=file, is_settled=is_settled)
    with errors.input_faults(paths.source_name(name)), opened as source, unit:
        result = load_source(connection, source, extra=extra, progress=progress)
        if all_or_nothing and result.rejected:
            reasons = "; ".join(messages.reason_lines(result.reasons))
            raise NothingLoadedError(f"{source.name}: nothing loaded, {result.rejected:,} rejected: {reasons}")
        return result


def load_source(
    connection: sqlite3.Connection,
    source: Source,
    *,
    extra: validation.Extra = "keep",
    parser: Parser | None = None,
    rename: Callable[[Row], Row] | None = None,
    progress: Callable[[int, int], None] = lambda done, size: None,
) -> LoadResult:
    """Load as `load_file`, from an open source.

    `parser` replaces the usual one. If the log rejects a row, the row that `rename` returns is inserted instead.
    """
    position = find_position(connection, source)
    parser = parser or Parser(outcome.horizon(clock.utc_now()), unknown_fields=UnknownFields(extra))
    result = LoadResult(source.name, skipped_bytes=position.offset, unknown_fields=parser.unknown_fields.counts)
    writer = _Writer(connection, source, position, result, parser.refusals, rename)
    batch = None
    for batch in parser.batches(source, position.offset, position.line):
        writer.write(batch)
        progress(batch.end, source.size)
    if source.damage and batch:
        # Rejected, but not counted as read: a load of the whole file will continue here.
        source.stream.seek(batch.end)
        parser.refusals.add(batch.end_line, source.stream.read(RAW_LIMIT_BYTES), [Fault(source.damage)])
        writer.write(Batch([], batch.end, batch.end_line, tuple))
    writer.finish()
    result.other_unknown_fields = parser.unknown_fields.others
    result.has_unfinished_line, result.damage = source.has_unfinished_line, source.damage
    return result


def find_position(connection: sqlite3.Connection, source: Source) -> Position:
    """Return the end of the longest load whose bytes the source begins with, under any name.

    Each place where a load may have ended is one look-up in an index, so the time does not depend on how many files
    were loaded before.
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
    """Writes the batches of one source, each with the source's row of `load_history`."""

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
        self._summary_id = 0  # of the row that counts the rejected lines that are not kept
        self._load_id = 0
        self._started_at = clock.now_text()

    def write(self, batch: Batch) -> None:
        """Write rows, rejected lines and the position in the source, in one transaction."""
        connection, result, refusals = self._connection, self._result, self._refusals
        digests = self._source.digests(batch.end)
        if digests is None:
            raise OutcomesError(f"{self._source.name} was cut short while it was read: load it again")
        with store.transaction(connection):
            invalid = refusals.count
            accepted = result.accepted + self._insert(batch)
            seen = result.accepted + result.duplicates + len(batch.rows)
            duplicates = seen - accepted - (refusals.count - invalid)
            position = {"end_offset": batch.end, "end_line": batch.end_line, **asdict(digests)}
            if not self._load_id:
                start = {"start_offset": self._start, "started_at": self._started_at}
                self._load_id = load_history.begin(
                    connection, self._source.name, self._source.format, **start, **position
                )
            load_history.update(
                connection, self._load_id, **position, accepted_count=accepted, duplicate_count=duplicates,
                rejected_count=refusals.count,
            )  # fmt: skip
            self._keep(refusals.take(), batch.end_line)
        result.accepted, result.duplicates, result.rejected = accepted, duplicates, refusals.count
        result.reasons = refusals.reasons

    def finish(self) -> None:
        if self._load_id:
            with store.transaction(self._connection):
                load_history.end(self._connection, self._load_id)

    def _insert(self, batch: Batch) -> int:
        """Insert the rows and return how many are new. Rows that the log's guards reject are refusals."""
        connection = self._connection
        before = connection.total_changes
        connection.execute("savepoint batch")
        try:
            start = 0
            for size, statement in INSERTS.items():
                while len(batch.rows) - start >= size:
                    connection.execute(statement, [*chain.from_iterable(batch.rows[start : start + size])])
                    start += size
            connection.executemany(INSERT, batch.rows[start:])
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
                    self._refusals.add(number, raw, [Fault(_in_words(fault))])
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

    def _keep(self, lines: list[RejectedLine], line_number: int) -> None:
        """Insert the rejected lines of a batch. One row, which is updated, counts those that are not kept."""
        connection, load_id, source = self._connection, self._load_id, self._source.name
        load_history.reject(connection, load_id, source, lines)
        self._kept_count += len(lines)
        others = self._refusals.count - self._kept_count
        if not others:
            return
        summary = json.dumps([{"problem": "more lines of this file were rejected, and are not kept", "lines": others}])
        if not self._summary_id:
            self._summary_id = load_history.reject(
                connection, load_id, source, [RejectedLine(line_number, summary, "")]
            )
        else:
            connection.execute(
                "update rejected_outcomes set reasons = ? where rejected_id = ?", (summary, self._summary_id)
            )


def _in_words(fault: sqlite3.IntegrityError) -> str:
    """Return why the log rejects a row. The name of a check says what it demands: tokens_used_is_0_to_1e12."""
    message = str(fault)
    return message.removeprefix("CHECK constraint failed: ").replace("_", " ") if "CHECK" in message else message
