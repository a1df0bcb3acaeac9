"""Loads of files: new lines go into the log, batch by batch, each with its bookkeeping in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import BinaryIO

from model_outcomes.base import clock, errors, locks, messages, paths
from model_outcomes.base.errors import NothingLoadedError
from model_outcomes.base.messages import Fault
from model_outcomes.intake import legacy
from model_outcomes.intake.batches import Batch, Refusals, Row
from model_outcomes.intake.copies import Copies
from model_outcomes.intake.field_map import FieldMap
from model_outcomes.intake.opening import open_source
from model_outcomes.intake.parser import Parser
from model_outcomes.intake.sources import Source
from model_outcomes.intake.writer import LoadResult, Position, Writer
from model_outcomes.log import outcome, store, validation
from model_outcomes.log.load_history import RAW_LIMIT_BYTES
from model_outcomes.log.validation import UnknownFields


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
    distinct: bool = False,
    accept_changes: bool = False,
    field_map: FieldMap | None = None,
    file: BinaryIO | None = None,
    is_settled: bool = True,
    progress: Callable[[int, int], None] = lambda done, size: None,
) -> LoadResult:
    """Load the new lines of a file (`-`: standard input) into the log. Call it within `loading`.

    Each batch is a transaction that includes its row of `load_history`, so that a load that was killed continues
    where it stopped. `all_or_nothing` makes one transaction of the whole file, for which other writers wait.
    `field_map` gives the fields of the file other names. Lines without event_id that equal outcomes in the log are
    taken for copies, unless `distinct`, or the file is one that has grown. With `accept_changes`, verdicts that changed
    at the source become corrections.
    `progress` is called with the bytes read and the size in bytes, after each batch. `file` and `is_settled` are for
    `open_source`. Raises OutcomesError if the file cannot be read, NothingLoadedError if `all_or_nothing` and a line
    was rejected.
    """
    unit = store.transaction(connection) if all_or_nothing else nullcontext()
    opened = open_source(
        name,
        format,
        is_final=is_final,
        file=file,
        is_settled=is_settled,
        is_checked=field_map is None,
        refuses_tools=field_map is None,
    )
    fields = UnknownFields(extra)
    parser = Parser(outcome.horizon(clock.utc_now()), unknown_fields=fields, field_map=field_map)
    with errors.input_faults(paths.source_name(name)), opened as source, unit:
        result = load_source(connection, source, distinct=distinct, parser=parser, accept_changes=accept_changes,
                             progress=progress)  # fmt: skip
        if all_or_nothing and result.rejected:
            reasons = "; ".join(messages.reason_lines(result.reasons))
            raise NothingLoadedError(f"{source.name}: nothing loaded, {result.rejected:,} rejected: {reasons}")
        return result


def load_source(
    connection: sqlite3.Connection,
    source: Source,
    *,
    extra: validation.Extra = "keep",
    distinct: bool = False,
    parser: Parser | None = None,
    rename: Callable[[Row], Row] | None = None,
    accept_changes: bool = False,
    progress: Callable[[int, int], None] = lambda done, size: None,
) -> LoadResult:
    """Load as `load_file`, from an open source.

    `parser` replaces the usual one. If the log rejects a row, the row that `rename` returns is inserted instead.
    """
    position = find_position(connection, source)
    parser = parser or Parser(outcome.horizon(clock.utc_now()), unknown_fields=UnknownFields(extra))
    result = LoadResult(source.name, skipped_bytes=position.offset, unknown_fields=parser.unknown_fields.counts)
    copies = None if distinct or position.offset else Copies(connection)
    writer = Writer(connection, source, position, result, parser.refusals, rename, copies,
                    accepts_changes=accept_changes)  # fmt: skip
    if accept_changes and position.offset:
        earlier = Parser(parser.horizon, Refusals(room=0), UnknownFields(extra), field_map=parser.field_map)
        writer.accept_earlier(earlier.batches(source, 0, 1), position.line)
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
    were loaded before. The digests of the first and last bytes choose the loads, and a checksum of all bytes confirms
    them.
    """
    for head in source.heads():
        loads = connection.execute(
            "select end_offset, end_line, tail_sha256, content_crc32 from load_history"
            f" where head_bytes = ? and head_sha256 = ? and end_offset > 0 and format <> '{legacy.FORMAT}'"
            " order by end_offset desc",
            head,
        )
        likely = []
        for end_offset, end_line, tail_sha256, checksum in loads:
            digests = source.digests(end_offset)
            if digests and digests.tail_sha256 == tail_sha256:
                likely.append((Position(end_offset, end_line, checksum or 0), checksum is None))
        if position := _confirmed(source, likely):
            return position
    return Position()


def _confirmed(source: Source, likely: list[tuple[Position, bool]]) -> Position | None:
    """Return the last position before which the source has the checksum of the position, or which has none (of older
    versions). One pass over the source."""
    confirmed, offset, checksum = None, 0, 0
    for position, is_unchecked in reversed(likely):
        checksum = source.checksum(offset, position.offset, checksum)
        offset = position.offset
        if is_unchecked or position.checksum == checksum:
            confirmed = Position(offset, position.line, checksum)
    return confirmed
