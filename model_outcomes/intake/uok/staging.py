"""The rows that were read, in temporary tables of the log's connection. The other database is read once and closed.
Rows are compared in the temporary tables, and the log is locked only for new ones, a batch at a time."""

from __future__ import annotations

import json
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from model_outcomes.base import clock, messages
from model_outcomes.base.errors import OutcomesError
from model_outcomes.base.messages import Fault
from model_outcomes.intake.uok import rows, source
from model_outcomes.intake.uok.rows import COLUMNS, IDENTITY, Row
from model_outcomes.intake.uok.source import BATCH_ROWS
from model_outcomes.log import load_history, outcome, store
from model_outcomes.log.load_history import RejectedLine

PAUSE_S = 0.01
# With the types of the mirror, because SQLite uses no index on a column without a type.
DEFINITIONS = ", ".join(
    f"{name} integer" if name == "recorded_at" else f"{name} text" if name in IDENTITY else name for name in COLUMNS
)
TABLES = ("uok_rows", "uok_rejects", "uok_changes")
REJECT = f"insert into temp.uok_rejects (line, {', '.join(IDENTITY)}, reasons, raw_text) values (?, ?, ?, ?, ?, ?)"
CORRECTION = "insert into temp.uok_rejects (line, reasons, raw_text, is_correction) values (?, ?, ?, 1)"
MONTH_MS = 31 * 86_400_000
EARLY = "select exists (select 1 from temp.uok_rejects where reasons = ? and recorded_at < ?)"
_REPEATED = Fault("another row of the same unit_type, unit_id and recorded_at follows: the last one counts")


@dataclass
class SyncResult:
    """The result of one pass over an orchestrator's database.

    `seen` rows were read: each is `added`, `changed` (upstream, since an earlier pass), `unchanged` or rejected.
    `rejected` counts the rows that no earlier pass rejected, and `reasons` their faults, without the wrong values.
    `vanished` rows were there at an earlier pass and are no more. `skipped`: the file has not changed and was not read.
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


def last_fingerprint(connection: sqlite3.Connection, path: Path, kind: str) -> str | None:
    """Return the fingerprint of the file at the last pass, None if that pass was not completed."""
    row = connection.execute(
        "select head_sha256 from load_history where source = ? and format = ? order by load_id desc limit 1",
        (str(path), kind),
    ).fetchone()
    return row[0] or None if row else None


def expect_other_file(connection: sqlite3.Connection, path: Path) -> None:
    """Raise OutcomesError if `path` is no file, or the log itself."""
    source.expect_file(path)
    own = connection.execute("select file from pragma_database_list where name = 'main'").fetchone()[0]
    if own and path.samefile(own):
        raise OutcomesError(f"{path} is this log itself: name the orchestrator's own database")


@contextmanager
def staged(connection: sqlite3.Connection, path: Path, result: SyncResult) -> Iterator[str]:
    """Check all rows of the other database and put them into `temp.uok_rows` and `temp.uok_rejects` for the block.
    Yield the fingerprint to remember, "" if the same file may have another result the next time."""
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
        # A row slightly in the future becomes valid later, so read the file again next time. Skip rows that are years
        # ahead.
        (is_early,) = connection.execute(EARLY, (messages.as_json([rows.AHEAD]), horizon + MONTH_MS)).fetchone()
        yield after if after and before == after and not is_early else ""
    finally:
        _drop(connection)


def keep_rejects(connection: sqlite3.Connection, path: Path, load_id: int, result: SyncResult) -> None:
    """Keep the rows that no earlier pass rejected: every pass reads the same rows again."""
    connection.execute(
        "delete from temp.uok_rejects where raw_text in (select raw_text from rejected_outcomes where source = ?)",
        (str(path),),
    )
    query = "select line, reasons, raw_text, is_correction from temp.uok_rejects where number between ? and ?"
    for span in spans(connection, "uok_rejects"):
        rejects = connection.execute(query, span).fetchall()
        with store.transaction(connection):
            load_history.reject(connection, load_id, str(path), (RejectedLine(*reject[:3]) for reject in rejects))
        for reasons in (reasons for _, reasons, _, is_correction in rejects if not is_correction):
            result.rejected += 1
            result.reasons.update(Fault(**fault).reason for fault in json.loads(reasons))


def begin_load(connection: sqlite3.Connection, path: Path, kind: str) -> int:
    with store.transaction(connection):
        return load_history.begin(connection, str(path), kind)


def end_load(
    connection: sqlite3.Connection,
    load_id: int,
    fingerprint: str,
    result: SyncResult,
    accepted: int,
    size: tuple[int, int] = (0, 0),
) -> None:
    """Note that the pass is complete, and its fingerprint. `size` is that of the mirror before and after, in rows."""
    with store.transaction(connection):
        load_history.end(
            connection, load_id, start_offset=size[0], end_offset=size[1], end_line=result.seen,
            head_sha256=fingerprint, accepted_count=accepted,
            duplicate_count=result.added + result.changed + result.unchanged - accepted,
            rejected_count=result.rejected,
        )  # fmt: skip


def spans(connection: sqlite3.Connection, table: str) -> Iterator[tuple[int, int]]:
    """Yield the first and last number of each batch of a temporary table's rows. Each batch is one transaction.

    The pause between batches lets a waiting recorder in: it tries only now and then.
    """
    (last,) = connection.execute(f"select coalesce(max(number), 0) from temp.{table}").fetchone()
    for first in range(1, last + 1, BATCH_ROWS):
        if first > 1:
            time.sleep(PAUSE_S)
        yield first, first + BATCH_ROWS - 1


def _stage(connection: sqlite3.Connection, batch: list[tuple[int, Row]], horizon: int) -> None:
    good, bad = [], []
    for (line, row), checked in zip(batch, rows.check([row for _, row in batch], horizon), strict=True):
        if isinstance(checked, list):
            bad.append((line, *_identity(row), messages.as_json(checked), rows.raw_text(row)))
        else:
            good.append((line, *checked))
    # A transaction of temporary tables locks no file of others.
    connection.execute("begin")
    connection.executemany(
        f"insert into temp.uok_rows (line, {', '.join(COLUMNS)}) values (?{', ?' * len(COLUMNS)})", good
    )
    connection.executemany(REJECT, bad)
    connection.execute("commit")


def _refuse_repeated(connection: sqlite3.Connection) -> None:
    """Reject all rows of one identity but the last one, which counts as in an upsert."""
    connection.execute(f"create index temp.uok_identity on uok_rows ({', '.join(IDENTITY)}, number)")
    repeated = (
        "select number from temp.uok_rows as one where exists (select 1 from temp.uok_rows as other"
        " where one.unit_type = other.unit_type and one.unit_id = other.unit_id"
        " and one.recorded_at = other.recorded_at and other.number > one.number)"
    )
    rejects = connection.execute(f"select line, {', '.join(COLUMNS)} from temp.uok_rows where number in ({repeated})")
    connection.execute("begin")
    while batch := rejects.fetchmany(BATCH_ROWS):
        connection.executemany(
            REJECT, [(line, *_identity(row), messages.as_json([_REPEATED]), rows.raw_text(row)) for line, *row in batch]
        )
    connection.execute(f"delete from temp.uok_rows where number in ({repeated})")
    connection.execute("commit")


def _identity(row: Sequence[object]) -> list[object]:
    values = (row[COLUMNS.index(name)] for name in IDENTITY)
    return [value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value for value in values]


def _drop(connection: sqlite3.Connection) -> None:
    if connection.in_transaction:
        connection.execute("rollback")
    for table in TABLES:
        connection.execute(f"drop table if exists temp.{table}")
