"""Writes batches of rows into the log, each with its bookkeeping in one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from itertools import chain, takewhile

from model_outcomes.base import clock
from model_outcomes.base.errors import OutcomesError
from model_outcomes.base.messages import Fault
from model_outcomes.intake.batches import Batch, NumberedRow, Refusals, Row
from model_outcomes.intake.changes import Changes, in_words
from model_outcomes.intake.copies import Copies, repeated_with_other_values
from model_outcomes.intake.sources import Source
from model_outcomes.log import load_history, store
from model_outcomes.log.load_history import RejectedLine
from model_outcomes.log.outcome import INSERTS

# Because the log has triggers, SQLite keeps a copy of the pages that a statement changes. Many rows in a statement
# halve the time of an insert. (SQLite takes 32,766 values at most.)
ROWS_PER_INSERT = 500, 400, 300, 200, 100, 20
INSERTS_OF_MANY = {
    (columns, rows): statement + f", ({', '.join('?' * columns)})" * (rows - 1)
    for columns, statement in INSERTS.items()
    for rows in ROWS_PER_INSERT
}


@dataclass
class LoadResult:
    """The result of the load of one file.

    `unknown_fields` counts the fields that became attributes, or were ignored, by name (the first 20 names;
    `other_unknown_fields` counts the rest).
    Of the duplicates, `copies` have no event_id and equal outcomes in the log, and `repeats` have the event_id of an
    outcome with another time, cost or number of tokens. `corrected` counts the corrections that were made, `changed`
    the outcomes that have another verdict than earlier in their source.
    `reasons` counts the faults of rejected lines, without the wrong values. `damage` says why the file could not be
    read to its end. `renamed` counts the accepted lines whose event_id belonged to another outcome. Of a mapping,
    `no_verdict` counts the rows without a verdict by their reason, and `problems` are the faults of files among
    others."""

    source: str
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    renamed: int = 0
    copies: int = 0
    repeats: int = 0
    corrected: int = 0
    changed: int = 0
    skipped_bytes: int = 0
    has_unfinished_line: bool = False
    damage: str | None = None
    unknown_fields: dict[str, int] = field(default_factory=dict)
    other_unknown_fields: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    no_verdict: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)

    def remarks(self) -> list[str]:
        """Return a line for changed verdicts, and for each kind of duplicate that may be an outcome of its own."""
        lines = []
        if self.corrected:
            lines.append(f"{self.corrected:,} corrected")
        if self.changed > self.corrected:
            lines.append(f"{self.changed:,} verdicts changed at the source (--accept-changes corrects the outcomes)")
        if self.copies:
            lines.append(
                f"{self.copies:,} lines equal outcomes that are in the log and have no event_id: taken for copies"
                " (--distinct loads them)"
            )
        if self.repeats:
            lines.append(f"{self.repeats:,} events repeat an event_id with other values: is event_id unique?")
        return lines


@dataclass(frozen=True)
class Position:
    """The place in a source where the load continues: earlier loads read all before it. `checksum` is the CRC-32 of
    that."""

    offset: int = 0
    line: int = 1
    checksum: int = 0


class Writer:
    """Writes the batches of one source, each with the source's row of `load_history`."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        source: Source,
        position: Position,
        result: LoadResult,
        refusals: Refusals,
        rename: Callable[[Row], Row] | None,
        copies: Copies | None = None,
        *,
        accepts_changes: bool = False,
    ) -> None:
        """Rows that are among `copies` are not inserted."""
        self._rename = rename
        self._copies = copies
        self._changes = Changes(connection, accepts_changes)
        self._connection = connection
        self._source = source
        self._start = self._end = position.offset
        self._checksum = position.checksum
        self._result = result
        self._refusals = refusals
        self._kept_count = 0
        self._summary_id = 0  # of the row that counts the rejected lines that are not kept
        self._load_id = 0
        self._position: dict[str, object] = {}  # behind the last batch
        self._started_at = clock.now_text()

    def write(self, batch: Batch) -> None:
        """Write rows, rejected lines and the position in the source, in one transaction."""
        connection, result, refusals = self._connection, self._result, self._refusals
        digests = self._source.digests(batch.end)
        if digests is None:
            raise OutcomesError(f"{self._source.name} was cut short while it was read: load it again")
        checksum = self._source.checksum(self._end, batch.end, self._checksum)
        with store.transaction(connection):
            invalid = refusals.count
            whole, copies = batch, 0
            if self._copies and self._copies.prepare(batch.rows):
                batch = _without(self._copies, batch)
                copies = len(whole.rows) - len(batch.rows)
            accepted = result.accepted + self._insert(batch)
            seen = result.accepted + result.duplicates + result.changed + len(whole.rows)
            duplicates = seen - accepted - (refusals.count - invalid) - self._changes.count
            repeats = 0
            if duplicates - copies > result.duplicates:
                repeats = repeated_with_other_values(connection, batch.rows)
            duplicates += self._changes.correct(batch.corrections, refusals)
            position = {
                "end_offset": batch.end,
                "end_line": batch.end_line,
                **asdict(digests),
                "content_crc32": checksum,
            }
            self._position = position
            if self._copies and self._copies.is_needed:
                # If this load is killed, the next one begins again.
                position = {**position, "end_offset": 0}
            if not self._load_id:
                start = {"start_offset": self._start, "started_at": self._started_at}
                self._load_id = load_history.begin(
                    connection, self._source.name, self._source.format, **start, **position
                )
            load_history.update(
                connection, self._load_id, **position, accepted_count=accepted + self._changes.corrected,
                duplicate_count=duplicates, rejected_count=refusals.count,
            )  # fmt: skip
            self._keep(refusals.take(), batch.end_line)
        self._end, self._checksum = batch.end, checksum
        result.accepted, result.duplicates, result.rejected = accepted, duplicates, refusals.count
        result.copies += copies
        result.repeats += repeats
        result.reasons = refusals.reasons
        result.corrected, result.changed = self._changes.corrected, self._changes.count

    def accept_earlier(self, batches: Iterable[Batch], before_line: int) -> None:
        """Correct outcomes whose verdict changed in lines that were loaded before. Nothing else of them is taken."""
        with store.transaction(self._connection):
            lines = (line for batch in batches for line in batch.retrace())
            for _, _, row in takewhile(lambda line: line[0] < before_line, lines):
                self._changes.accept(row)
        self._result.corrected, self._result.changed = self._changes.corrected, self._changes.count

    def finish(self) -> None:
        if self._load_id:
            with store.transaction(self._connection):
                load_history.end(self._connection, self._load_id, **self._position)

    def _insert(self, batch: Batch) -> int:
        """Insert the rows and return how many are new. Rows that the log's guards reject are refusals."""
        connection = self._connection
        before = connection.total_changes
        connection.execute("savepoint batch")
        try:
            rows, columns = _padded(batch.rows)
            start = 0
            for size in ROWS_PER_INSERT:
                while len(rows) - start >= size:
                    many = [*chain.from_iterable(rows[start : start + size])]
                    connection.execute(INSERTS_OF_MANY[columns, size], many)
                    start += size
            connection.executemany(INSERTS[columns], rows[start:])
            connection.execute("release batch")
            accepted = connection.total_changes - before
            if accepted < len(batch.rows) and not self._rename:
                self._changes.find_reverted(batch.rows)
            return accepted
        except sqlite3.IntegrityError:
            connection.execute("rollback to batch")
            connection.execute("release batch")
        accepted = 0
        for number, raw, row in batch.retrace():
            try:
                accepted += connection.execute(INSERTS[len(row)], row).rowcount
            except sqlite3.IntegrityError as fault:
                renamed = self._insert_renamed(row)
                if renamed is not None:
                    accepted += renamed
                elif self._rename or not self._changes.is_known(row):
                    self._refusals.add(number, raw, [Fault(in_words(fault))])
        if not self._rename:
            self._changes.find_reverted(batch.rows)
        return accepted

    def _insert_renamed(self, row: Row) -> int | None:
        """Return the number of rows that were inserted, None if the log rejects the renamed row as well."""
        if self._rename is None:
            return None
        try:
            renamed = self._rename(row)
            inserted = self._connection.execute(INSERTS[len(renamed)], renamed).rowcount
        except sqlite3.IntegrityError:
            return None
        self._result.renamed += 1
        return inserted

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


def _padded(rows: list[Row]) -> tuple[list[Row], int]:
    """Return rows with as many columns as the longest one, the others null, and that number."""
    lengths = set(map(len, rows)) or {max(INSERTS)}
    columns = max(lengths)
    if len(lengths) > 1:
        rows = [row + (None,) * (columns - len(row)) for row in rows]
    return rows, columns


def _without(copies: Copies, batch: Batch) -> Batch:
    """Return a batch without its copies."""
    is_new = [row not in copies for row in batch.rows]
    rows = [row for row, new in zip(batch.rows, is_new, strict=True) if new]

    def retrace() -> Iterator[NumberedRow]:
        return (each for each, new in zip(batch.retrace(), is_new, strict=True) if new)

    return replace(batch, rows=rows, retrace=retrace)
