"""The dbt step of a run: build on an engine, then bring the marts back as one SQLite file.

Findings, report and publication read that file alone and do not depend on the engine. On SQLite the file is the log
itself.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from model_outcomes.base import paths
from model_outcomes.base.engines import SQLITE
from model_outcomes.base.errors import BuildError
from model_outcomes.log import store
from model_outcomes.publish import snapshot
from model_outcomes.warehouse import builds, marts
from model_outcomes.warehouse.builds import CommandResult
from model_outcomes.warehouse.engines import connections, targets

FRESHNESS = ("source", "freshness")


@contextmanager
def locked(database: Path, target: str, *, wait: float) -> Iterator[None]:
    """Hold the locks of the log and of the engine: one run at a time on a log, and no build on the engine meanwhile."""
    with ExitStack() as locks:
        for engine in dict.fromkeys((SQLITE, target)):
            locks.enter_context(builds.lock(database, "a run", engine, wait=wait))
        yield


def build(
    database: Path, target: str, logs: Path, *, quiet: bool = False
) -> tuple[CommandResult, CommandResult | None]:
    """Run `dbt build` on the engine. Return its result, and that of `dbt source freshness` on SQLite, which runs in the
    same process to save a start of dbt; None on other engines."""
    before = targets.preparations(target)
    after = [FRESHNESS] if target == SQLITE else []
    commands = [*before, builds.BUILD, *after]
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
