"""Adoption: the orchestrator's rows become outcomes of the log, once, for users who have no other log.

The event_id of an outcome consists of the row's identity, so that a row is never adopted twice. The log is append-only:
if a row is corrected upstream afterwards, the correction is reported and kept in `rejected_outcomes`, and the outcome
stays as it is.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

from model_outcomes.base import messages, paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.base.messages import Fault
from model_outcomes.intake.uok import rows, source, staging
from model_outcomes.intake.uok.rows import COLUMNS
from model_outcomes.intake.uok.staging import SyncResult
from model_outcomes.log import store

KIND = "uok-adopted"
RECORDED_BY = "uok"
# A unit's type may hold colons, which are escaped so that the parts of the event_id stay distinct.
EVENT_ID = "'uok:' || replace(replace(unit_type, '%', '%25'), ':', '%3A') || ':' || unit_id || ':' || recorded_at"

# A null is unknown and a cost of 0 is free, as everywhere in the log.
OUTCOMES = {
    "task_type": "unit_type",
    "model_id": "model_id",
    "success": "succeeded",
    "tokens_used": "coalesce(tokens_total, 0)",
    "cost_usd": "coalesce(cost_usd, 0.0)",
    "cost_source": "iif(cost_usd is null, null, 'provider')",
    "duration_ms": "duration_ms",
    "timestamp": "strftime('%Y-%m-%dT%H:%M:%f', recorded_at / 1000.0, 'unixepoch') || '000Z'",
    "event_id": EVENT_ID,
    "task_id": "unit_id",
    "recorded_by": f"'{RECORDED_BY}'",
}
CORRECTABLE = ("model_id", "success", "tokens_used", "cost_usd", "cost_source", "duration_ms")
CANDIDATES = (
    f"select number, line, {', '.join(f'{sql} as {name}' for name, sql in OUTCOMES.items())} from temp.uok_rows"
)
ADOPT = f"""
insert into model_outcomes ({", ".join(OUTCOMES)})
select {", ".join(OUTCOMES)} from ({CANDIDATES} where number between ? and ?) as candidates
where not exists (select 1 from model_outcomes as adopted where adopted.event_id = candidates.event_id)
order by number
"""
CORRECTED = f"""
select candidates.number, {", ".join(f"adopted.{name}, candidates.{name}" for name in CORRECTABLE)}
from ({CANDIDATES}) as candidates
inner join model_outcomes as adopted on adopted.event_id = candidates.event_id
where ({", ".join(f"adopted.{name}" for name in CORRECTABLE)})
is not ({", ".join(f"candidates.{name}" for name in CORRECTABLE)})
"""

# A source whose outcomes are in the log, also if the pass was killed before its end.
ADOPTED = f"""
select source from load_history
where format = '{KIND}' and exists (select 1 from model_outcomes where event_id >= 'uok:' and event_id < 'uok;')
order by load_id
limit 1
"""


def adopt(connection: sqlite3.Connection, path: Path) -> SyncResult:
    """Append the rows of the orchestrator's database at `path` that are not in the log yet.

    `changed` of the result counts the rows that were corrected upstream after their adoption. Call it within
    `loads.lock`. Raises OutcomesError as `sync`, and if the log has a mirror: the same rows would be on both sides
    of every comparison.
    """
    path = paths.absolute(path)
    result = SyncResult(str(path))
    staging.expect_other_file(connection, path)
    _refuse_mirrored(connection)
    last_fingerprint = staging.last_fingerprint(connection, path, KIND)
    if last_fingerprint is not None and source.fingerprint(path) == last_fingerprint:
        result.skipped = True
        return result
    with staging.staged(connection, path, result) as fingerprint:
        _refuse_corrections(connection, result)
        load_id = staging.begin_load(connection, path, KIND)
        for first, last in staging.spans(connection, "uok_rows"):
            with store.transaction(connection):
                result.added += connection.execute(ADOPT, (first, last)).rowcount
        (valid,) = connection.execute("select count(*) from temp.uok_rows").fetchone()
        result.unchanged = valid - result.added - result.changed
        staging.keep_rejects(connection, path, load_id, result)
        staging.end_load(connection, load_id, fingerprint, result, result.added)
    return result


def _refuse_corrections(connection: sqlite3.Connection, result: SyncResult) -> None:
    corrected = connection.execute(CORRECTED)
    connection.execute("begin")
    for number, *values in corrected:
        faults = [
            Fault(f"was corrected after the adoption; the log keeps {json.dumps(adopted)}", name, json.dumps(new))
            for name, adopted, new in zip(CORRECTABLE, values[::2], values[1::2], strict=True)
            if adopted != new
        ]
        line, *row = connection.execute(
            f"select line, {', '.join(COLUMNS)} from temp.uok_rows where number = ?", (number,)
        ).fetchone()
        connection.execute(staging.CORRECTION, (line, messages.as_json(faults), rows.raw_text(row)))
        result.changed += 1
    connection.execute("commit")


def _refuse_mirrored(connection: sqlite3.Connection) -> None:
    if connection.execute("select 1 from llm_task_outcomes limit 1").fetchone():
        raise OutcomesError(
            "this log has a mirror of UOK, which would be compared with its own adopted outcomes: "
            "sync without --adopt, or adopt into another log (--db)"
        )
