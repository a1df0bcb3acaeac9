"""The mirror: the log's `llm_task_outcomes` has the rows of the orchestrator's table.

Rows may be corrected upstream and have no time of change, so all rows of a changed database are read, and only
differences are written. Rows that the orchestrator deleted are kept.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from model_outcomes.base import paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake.uok import adoption, source, staging
from model_outcomes.intake.uok.rows import COLUMNS, IDENTITY
from model_outcomes.intake.uok.staging import SyncResult
from model_outcomes.log import store

KIND = "uok"
VALUES = tuple(name for name in COLUMNS if name not in IDENTITY)

_SAME = " and ".join(f"mirror.{name} = rows.{name}" for name in IDENTITY)
# In the order of the mirror's key, so that a transaction touches few pages and is short.
CHANGES = f"""
insert into temp.uok_changes (is_known, {", ".join(COLUMNS)})
select mirror.unit_id is not null, {", ".join(f"rows.{name}" for name in COLUMNS)}
from temp.uok_rows as rows
left join llm_task_outcomes as mirror on {_SAME}
where mirror.unit_id is null
or ({", ".join(f"mirror.{name}" for name in VALUES)}) is not ({", ".join(f"rows.{name}" for name in VALUES)})
order by {", ".join(f"rows.{name}" for name in IDENTITY)}
"""
UPSERT = f"""
insert into llm_task_outcomes (load_id, {", ".join(COLUMNS)})
select ?, {", ".join(COLUMNS)} from temp.uok_changes where number between ? and ?
on conflict ({", ".join(IDENTITY)}) do update set
load_id = excluded.load_id, {", ".join(f"{name} = excluded.{name}" for name in VALUES)}
"""
VANISHED = f"""
select count(*) from llm_task_outcomes as mirror
where load_id in (select load_id from load_history where source = ? and format = '{KIND}')
and not exists (select 1 from temp.uok_rows as rows where {_SAME})
and ({", ".join(IDENTITY)}) not in (
    select {", ".join(IDENTITY)} from temp.uok_rejects where {" and ".join(f"{name} is not null" for name in IDENTITY)}
)
"""

SIZE = "select count(*) from llm_task_outcomes"
# How many rows the mirror had after the last pass over a source, and gained by later ones over others.
EXPECTED = f"""
select last.end_offset + (
    select coalesce(sum(later.end_offset - later.start_offset), 0) from load_history as later
    where later.format = '{KIND}' and later.load_id > last.load_id
)
from load_history as last
where last.source = ? and last.format = '{KIND}'
order by last.load_id desc
limit 1
"""


def sync(connection: sqlite3.Connection, path: Path) -> SyncResult:
    """Bring the mirror up to date with the orchestrator's database at `path`. Call it within `loads.lock`, because
    two at the same time would both count the new rows.

    The database is opened read-only and read as of one moment, while others may write to it. Differences are written
    in transactions of BATCH_ROWS rows. A pass that was killed has written some of them; the next one reads all rows
    again. Raises OutcomesError if the database cannot be read, is no orchestrator's, or was adopted into this log.
    """
    path = paths.absolute(path)
    result = SyncResult(str(path))
    staging.expect_other_file(connection, path)
    _refuse_adopted(connection)
    if is_mirrored(connection, path):
        result.skipped = True
        return result
    with staging.staged(connection, path, result) as fingerprint:
        connection.execute(
            f"create temporary table uok_changes (number integer primary key, is_known, {staging.DEFINITIONS})"
        )
        connection.execute(CHANGES)
        (valid,) = connection.execute("select count(*) from temp.uok_rows").fetchone()
        (written, result.changed) = connection.execute(
            "select count(*), coalesce(sum(is_known), 0) from temp.uok_changes"
        ).fetchone()
        result.added, result.unchanged = written - result.changed, valid - written
        (result.vanished,) = connection.execute(VANISHED, (str(path),)).fetchone()
        load_id = staging.begin_load(connection, path, KIND)
        (before,) = connection.execute(SIZE).fetchone()
        for first, last in staging.spans(connection, "uok_changes"):
            with store.transaction(connection):
                connection.execute(UPSERT, (load_id, first, last))
        staging.keep_rejects(connection, path, load_id, result)
        (after,) = connection.execute(SIZE).fetchone()
        staging.end_load(connection, load_id, fingerprint, result, written, size=(before, max(before, after)))
    return result


def is_mirrored(connection: sqlite3.Connection, path: Path) -> bool:
    """Return True if the file has not changed since the last complete pass, and the mirror has lost no row since."""
    last = staging.last_fingerprint(connection, path, KIND)
    if last is None or source.fingerprint(path) != last:
        return False
    (expected,) = connection.execute(EXPECTED, (str(path),)).fetchone()
    (size,) = connection.execute(SIZE).fetchone()
    return bool(size >= expected)


def _refuse_adopted(connection: sqlite3.Connection) -> None:
    if adopted := connection.execute(adoption.ADOPTED).fetchone():
        raise OutcomesError(
            f"outcomes of {adopted[0]} were adopted into this log, and a mirror would compare them with themselves:"
            " use --adopt, or mirror into another log (--db)"
        )
