"""What was read, in temporary tables beside the log's: the other database is read once and let go,
rows are compared there, and the log is locked only for what is new, a batch at a time."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from model_outcomes.base import clock
from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake.uok import rows, source
from model_outcomes.intake.uok.rows import COLUMNS, IDENTITY, Row
from model_outcomes.log import outcome, store

BATCH = 5_000
PAUSE = 0.01  # seconds
# With the types of the mirror: SQLite looks nothing up in an index whose column has none.
DEFINITIONS = ", ".join(
    f"{name} integer" if name == "recorded_at" else f"{name} text" if name in IDENTITY else name for name in COLUMNS
)
TABLES = ("uok_rows", "uok_rejects", "uok_changes")
REJECT = f"insert into temp.uok_rejects (line, {', '.join(IDENTITY)}, reasons, raw_text) values (?, ?, ?, ?, ?, ?)"
CORRECTION = "insert into temp.uok_rejects (line, reasons, raw_text, is_correction) values (?, ?, ?, 1)"
MONTH = 31 * 86_400_000
EARLY = "select exists (select 1 from temp.uok_rejects where reasons = ? and recorded_at < ?)"
_AGAIN = "another row of the same unit_type, unit_id and recorded_at follows: the last one counts"


@dataclass
class SyncResult:
    """The result of one pass over an orchestrator's database.

    `seen` rows of it were read: each is `added`, `changed` (upstream, since it was taken over),
    `unchanged` or refused. `rejected` counts those that were not refused before, and `reasons`
    their faults, less what was found in place of the right thing. `vanished` rows were taken over
    from there once, and are there no more. `skipped`: the file is as it was, and was not read.
    """

    source: str
    seen: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    vanished: int = 0
    skipped: bool = False
    reasons: Counter[str] = field(default_factory=Counter)


def known(connection: sqlite3.Connection, path: Path, kind: str) -> str | None:
    """Return the fingerprint that the last pass has left, if it was a whole one."""
    found = connection.execute(
        "select head_sha256 from load_history where source = ? and format = ? order by load_id desc limit 1",
        (str(path), kind),
    ).fetchone()
    return found[0] or None if found else None


def expect_other_file(connection: sqlite3.Connection, path: Path) -> None:
    """Raises OutcomesError where `path` is no file, or the log's own."""
    source.expect_file(path)
    own = connection.execute("select file from pragma_database_list where name = 'main'").fetchone()[0]
    if own and path.samefile(own):
        raise OutcomesError(f"{path} is this log itself: name the orchestrator's own database")


@contextmanager
def staged(connection: sqlite3.Connection, path: Path, result: SyncResult) -> Iterator[str]:
    """Yield all rows of the other database, checked, in `temp.uok_rows` and `temp.uok_rejects`; gives
    the fingerprint to remember, empty where the same file may say something else the next time."""
    _drop(connection)
    try:
        connection.execute(f"create temporary table uok_rows (number integer primary key, line, {DEFINITIONS})")
        connection.execute(
            "create temporary table uok_rejects"
            f" (number integer primary key, line, {', '.join(IDENTITY)}, reasons, raw_text, is_correction default 0)"
        )
        before = source.fingerprint(path)
        horizon = int(outcome.horizon(clock.utc_now()).timestamp() * 1000)
        for batch in source.batches(path):
            result.seen += len(batch)
            _stage(connection, batch, horizon)
        after = source.fingerprint(path)
        _refuse_repeated(connection)
        # What is too early now will be right: not what lies years ahead, for which no file is read again and again.
        (is_early,) = connection.execute(EARLY, (json.dumps([rows.AHEAD]), horizon + MONTH)).fetchone()
        yield after if after and before == after and not is_early else ""
    finally:
        _drop(connection)


def keep_rejects(connection: sqlite3.Connection, path: Path, load_id: int, result: SyncResult) -> None:
    """Write down what is refused for the first time: every pass meets the same rows again."""
    connection.execute(
        "delete from temp.uok_rejects where raw_text in (select raw_text from rejected_outcomes where source = ?)",
        (str(path),),
    )
    now = clock.to_text(clock.utc_now())
    for first, last in spans(connection, "uok_rejects"):
        with store.transaction(connection):
            connection.execute(
                "insert into rejected_outcomes (load_id, source, line_number, reasons, raw_text, rejected_at)"
                " select ?, ?, line, reasons, raw_text, ? from temp.uok_rejects where number between ? and ?",
                (load_id, str(path), now, first, last),
            )
    for reasons, is_correction in connection.execute("select reasons, is_correction from temp.uok_rejects"):
        result.rejected += not is_correction
        result.reasons.update(reason.partition(", got ")[0] for reason in json.loads(reasons) if not is_correction)


def begin_load(connection: sqlite3.Connection, path: Path, kind: str) -> int:
    with store.transaction(connection):
        load_id = connection.execute(
            "insert into load_history (source, format, start_offset, end_offset, end_line, head_bytes,"
            " head_sha256, tail_sha256, started_at) values (?, ?, 0, 0, 0, 0, '', '', ?)",
            (str(path), kind, clock.to_text(clock.utc_now())),
        ).lastrowid
    return int(load_id or 0)


def end_load(
    connection: sqlite3.Connection,
    load_id: int,
    fingerprint: str,
    result: SyncResult,
    accepted: int,
    size: tuple[int, int] = (0, 0),
) -> None:
    """The pass is whole: only now is its fingerprint remembered. `size`: of the mirror, before and after."""
    with store.transaction(connection):
        connection.execute(
            "update load_history set start_offset = ?, end_offset = ?, end_line = ?, head_sha256 = ?,"
            " accepted_count = ?, duplicate_count = ?, rejected_count = ?, finished_at = ? where load_id = ?",
            (
                *size,
                result.seen,
                fingerprint,
                accepted,
                result.added + result.changed + result.unchanged - accepted,
                result.rejected,
                clock.to_text(clock.utc_now()),
                load_id,
            ),
        )


def spans(connection: sqlite3.Connection, table: str) -> Iterator[tuple[int, int]]:
    """Yield the numbers of a temporary table's rows, in stretches that are written in one transaction each.

    Between them the lock is free for a moment: a recorder that waits looks only now and then, and
    would seldom find it free where one transaction follows the other.
    """
    (last,) = connection.execute(f"select coalesce(max(number), 0) from temp.{table}").fetchone()
    for first in range(1, last + 1, BATCH):
        if first > 1:
            time.sleep(PAUSE)
        yield first, first + BATCH - 1


def _stage(connection: sqlite3.Connection, batch: list[tuple[int, Row]], horizon: int) -> None:
    good, bad = [], []
    for (line, row), checked in zip(batch, rows.check([row for _, row in batch], horizon), strict=True):
        if isinstance(checked, list):
            bad.append((line, *_identity(row), json.dumps(checked), rows.raw_text(row)))
        else:
            good.append((line, *checked))
    # A transaction of temporary tables alone locks nothing that anybody else has.
    connection.execute("begin")
    connection.executemany(
        f"insert into temp.uok_rows (line, {', '.join(COLUMNS)}) values (?{', ?' * len(COLUMNS)})", good
    )
    connection.executemany(REJECT, bad)
    connection.execute("commit")


def _refuse_repeated(connection: sqlite3.Connection) -> None:
    """Reject all rows of one identity but the last one written, which counts as in an upsert."""
    connection.execute(f"create index temp.uok_identity on uok_rows ({', '.join(IDENTITY)}, number)")
    repeated = (
        "select number from temp.uok_rows as one where exists (select 1 from temp.uok_rows as other"
        " where one.unit_type = other.unit_type and one.unit_id = other.unit_id"
        " and one.recorded_at = other.recorded_at and other.number > one.number)"
    )
    found = connection.execute(f"select line, {', '.join(COLUMNS)} from temp.uok_rows where number in ({repeated})")
    connection.execute("begin")
    while batch := found.fetchmany(BATCH):
        connection.executemany(
            REJECT, [(line, *_identity(row), json.dumps([_AGAIN]), rows.raw_text(row)) for line, *row in batch]
        )
    connection.execute(f"delete from temp.uok_rows where number in ({repeated})")
    connection.execute("commit")


def _identity(row: Sequence[object]) -> list[object]:
    found = (row[COLUMNS.index(name)] for name in IDENTITY)
    return [value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value for value in found]


def _drop(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("rollback")
    for table in TABLES:
        connection.execute(f"drop table if exists temp.{table}")
