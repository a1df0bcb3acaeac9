"""The dbt step of a run: build on an engine, then bring the marts back as one SQLite file.

Findings, report and publication read that file alone and do not depend on the engine. On SQLite the file is the log
itself.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from model_outcomes.base import clock, paths
from model_outcomes.base.engines import SQLITE
from model_outcomes.base.errors import BuildError
from model_outcomes.log import store
from model_outcomes.publish import snapshot
from model_outcomes.warehouse import builds, marts
from model_outcomes.warehouse.builds import CommandResult
from model_outcomes.warehouse.engines import connections, targets

FRESHNESS = ("source", "freshness")
ROUNDING = timedelta(milliseconds=10)  # of times in SQLite
# As the macro sqlite__collect_freshness, but with the rows that it does not believe.
NEWEST = """
select max(strftime('%Y-%m-%d %H:%M:%f', timestamp)) from model_outcomes
where timestamp >= (select date(substr(max(timestamp), 1, 10), '-2 days') from model_outcomes)
"""


@contextmanager
def locked(database: Path, target: str, *, wait: float) -> Iterator[None]:
    """Hold the locks of the log and of the engine: one run at a time on a log, and no build on the engine meanwhile."""
    with ExitStack() as locks:
        for engine in dict.fromkeys((SQLITE, target)):
            locks.enter_context(builds.lock(database, "a run", engine, wait=wait))
        yield


def build(
    database: Path, target: str, logs: Path, *, with_views: bool = True, quiet: bool = False
) -> tuple[CommandResult, CommandResult | None]:
    """Run `dbt build` on the engine. Return its result, and that of `dbt source freshness` on SQLite, which runs in the
    same process to save a start of dbt; None on other engines."""
    before = targets.preparations(target)
    after = [FRESHNESS] if target == SQLITE else []
    build = builds.BUILD if with_views else (*builds.BUILD, *builds.WITHOUT_VIEWS)
    commands = [*before, build, *after]
    results = builds.run_dbt(database, commands, target, logs=logs, output=sys.stderr, quiet=quiet)
    builds.expect_prepared(results[: len(before)], logs, target)
    build_result, *freshness_results = results[len(before) :]
    return build_result, freshness_results[0] if freshness_results else None


def freshness(database: Path, target: str, logs: Path, run: CommandResult | None, *, quiet: bool = False) -> Path:
    """Return the path of dbt's sources.json about the log. `run` is the second result of `build`; if it is
    None, run `dbt source freshness` first, on the log in SQLite: an engine's copy of the log is never newer.
    Raises BuildError if dbt wrote no sources.json."""
    artifacts = results_folder(database, target)
    if run is None:
        # A folder of its own, so that the artifacts of the last build on SQLite stay.
        artifacts = paths.build_folder(database, target) / "freshness"
        (run,) = builds.run_dbt(database, [FRESHNESS], logs=logs, artifacts=artifacts, output=sys.stderr, quiet=quiet)
    sources = artifacts / "sources.json"
    if not sources.exists():
        raise BuildError(f"dbt could not check the age of the sources: {run.fault or 'it gave no reason'}")
    return sources


def aged_freshness(database: Path, logs: Path, log: sqlite3.Connection, now: datetime) -> Path | None:
    """Write dbt's last sources.json into `logs` as of `now`, and return its path. Nothing is new in the log, so only
    the ages differ. Return None if dbt has to look again, because there is no such file, or because a row has a time so
    far ahead that dbt did not count it, and might now."""
    folders = (results_folder(database, SQLITE), paths.build_folder(database) / "freshness")
    path = next((folder / "sources.json" for folder in folders if (folder / "sources.json").exists()), None)
    newest = log.execute(NEWEST).fetchone()[0]
    if path is None or newest is None:
        return None
    sources = json.loads(path.read_text(encoding="utf-8"))
    for result in sources["results"]:
        newest_at = result.get("max_loaded_at")
        if newest_at is None or _utc(newest) - datetime.fromisoformat(newest_at) > ROUNDING:
            return None
        age = now - datetime.fromisoformat(newest_at)
        limits = [(status, result["criteria"][f"{status}_after"]) for status in ("error", "warn")]
        over = (status for status, limit in limits if limit["count"] is not None and age > _duration(limit))
        result["status"] = next(over, "pass")
        result["max_loaded_at_time_ago_in_s"] = age.total_seconds()
        result["snapshotted_at"] = clock.to_text(now)
    aged = logs / "sources.json"
    aged.write_text(json.dumps(sources), encoding="utf-8")
    return aged


def _utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


def _duration(limit: Mapping[str, Any]) -> timedelta:
    return timedelta(**{f"{limit['period']}s": limit["count"]})


def results_folder(database: Path, target: str) -> Path:
    """Return the folder where dbt writes the results of a build."""
    return paths.build_folder(database, target) / "target"


@contextmanager
def fetched(
    log: sqlite3.Connection, database: Path, target: str, last_outcome: int | None
) -> Iterator[tuple[snapshot.Source, sqlite3.Connection]]:
    """Yield the file that has the marts, and a connection to it. `last_outcome` is the id of the last outcome that was
    copied to the engine. Raises OutcomesError if the engine cannot be read."""
    described = marts.read(database, target)
    if target == SQLITE:
        yield snapshot.Source(database, described), log
        return
    path = paths.build_folder(database, target) / "marts.db"
    path.unlink(missing_ok=True)
    try:
        with connections.opened(database, target, is_held=True) as engine, store.plain_faults(path):
            snapshot.fetch(path, engine, described)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            yield snapshot.Source(path, described, last_outcome), connection
    finally:
        path.unlink(missing_ok=True)
