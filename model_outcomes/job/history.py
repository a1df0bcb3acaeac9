"""The history of runs: each run has a row in `run_history` and a folder in runs/. Old folders are removed."""

from __future__ import annotations

import re
import shutil
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from model_outcomes.answers import queries
from model_outcomes.answers.queries import Answer
from model_outcomes.base import clock
from model_outcomes.base.errors import OutcomesError
from model_outcomes.job.findings import State
from model_outcomes.log import store

RUN_ID = re.compile(r"\d{8}T\d{6}\.\d{3}Z(-\d+)?")


def new_folder(runs: Path, now: datetime) -> Path:
    """Make and return the folder of a run that begins now. Its name is the run's id; ids sort by time."""
    name = f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03d}Z"
    for attempt in range(1000):
        folder = runs / (f"{name}-{attempt}" if attempt else name)
        try:
            folder.mkdir(0o700, parents=True)  # private, since it holds rejected lines unchanged
            return folder
        except FileExistsError:
            if not runs.is_dir():
                break
        except OSError as fault:
            raise OutcomesError(f"cannot make {folder}: {fault.strerror}") from None
    raise OutcomesError(f"cannot make a folder in {runs}")


def prune(runs: Path, keep: int) -> None:
    """Remove the folders of all but the last `keep` runs, and nothing else."""
    folders = sorted(folder for folder in runs.iterdir() if RUN_ID.fullmatch(folder.name) and folder.is_dir())
    for folder in folders[:-keep]:
        shutil.rmtree(folder, ignore_errors=True)


def begin(connection: sqlite3.Connection, run_id: str, now: datetime, target: str) -> None:
    """Add the row of a run that begins. Call it while holding the lock of builds: any other row with status `running`
    then belongs to a run that was killed."""
    with store.transaction(connection):
        connection.execute("update run_history set status = 'killed' where status = 'running'")
        connection.execute(
            "insert into run_history (run_id, started_at, status, target) values (?, ?, 'running', ?)",
            (run_id, clock.to_text(now), target),
        )


def end(connection: sqlite3.Connection, run_id: str, state: State | None, **values: Any) -> None:
    """Write the results of a run, `values` of columns of `run_history`, to its row. Keep only the newest state."""
    if state is not None:
        values["state"] = msgspec.json.encode(state).decode()
    assignments = ", ".join(f"{name} = ?" for name in values)
    with store.transaction(connection):
        if state is not None:
            connection.execute("update run_history set state = null where state is not null")
        connection.execute(f"update run_history set {assignments} where run_id = ?", (*values.values(), run_id))


def last_state(connection: sqlite3.Connection) -> tuple[str | None, State | None]:
    """Return the id of the last run that built the marts, and their state; (None, None) if there is no such run."""
    row = connection.execute(
        "select run_id, state from run_history where state is not null order by run_id desc limit 1"
    ).fetchone()
    if row is None:
        return None, None
    try:
        return row[0], msgspec.json.decode(row[1], type=State)
    except msgspec.MsgspecError:  # of another version of the loader
        return None, None


def runs(connection: sqlite3.Connection, limit: int) -> Answer:
    """Return the last runs, the newest first."""
    columns = (
        "run_id, started_at, finished_at, status, exit_code, target, message, accepted_count, duplicate_count,"
        " rejected_count, dbt_node_count, dbt_failure_count, dbt_seconds, is_published, stale_count, demotion_count,"
        " drift_count, degenerate_count, changes"
    )
    return queries.rows(connection, f"select {columns} from run_history order by run_id desc limit ?", (limit,))
