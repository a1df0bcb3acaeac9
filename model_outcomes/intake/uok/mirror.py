"""The mirror: the log's `llm_task_outcomes` holds what the orchestrator's said last.

Rows may be corrected upstream and bear no time of change, so a database that has changed is passed
through whole, and only what differs is written. Rows that vanished there are kept: an orchestrator
that forgets its old rows is no reason to forget them here.
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
# In the order of the mirror's key: a transaction then touches few pages, and is short.
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
    """Bring the mirror up to date with the orchestrator's database at `path`. Call it within
    `loading.loading`: two at once would both count what is new.

    The database is opened read-only and read as of one moment, whoever writes to it meanwhile; what
    differs is written in transactions of `staging.BATCH` rows. A pass that was killed has written
    some of them, and the next one goes through all again. Raises OutcomesError where the database
    cannot be read, is none of the orchestrator's, or was adopted into this log.
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
        (good,) = connection.execute("select count(*) from temp.uok_rows").fetchone()
        (written, result.changed) = connection.execute(
            "select count(*), coalesce(sum(is_known), 0) from temp.uok_changes"
        ).fetchone()
        result.added, result.unchanged = written - result.changed, good - written
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
    """Return whether the file is as the last whole pass found it, and the mirror has lost no row since."""
    known = staging.known(connection, path, KIND)
    if known is None or source.fingerprint(path) != known:
        return False
    (expected,) = connection.execute(EXPECTED, (str(path),)).fetchone()
    (there,) = connection.execute(SIZE).fetchone()
    return bool(there >= expected)


def _refuse_adopted(connection: sqlite3.Connection) -> None:
    found = connection.execute(adoption.ADOPTED).fetchone()
    if found:
        raise OutcomesError(
            f"outcomes of {found[0]} were adopted into this log: a mirror beside them would hold UOK against"
            " itself; go on with --adopt, or mirror into another log (--db)"
        )
