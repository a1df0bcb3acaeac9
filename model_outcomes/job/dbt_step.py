"""dbt on the engine of a run: what it builds there comes back as one SQLite file.

Findings, report and publication read that file, and know nothing of engines. On SQLite it is the log's own.
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
from model_outcomes.warehouse.builds import Command
from model_outcomes.warehouse.engines import connections, targets

FRESHNESS = ("source", "freshness")


@contextmanager
def locked(database: Path, target: str, *, wait: float) -> Iterator[None]:
    """Hold the locks of the log and of the engine: one run at a time on a log, and no build on the engine meanwhile."""
    with ExitStack() as held:
        for each in dict.fromkeys((SQLITE, target)):
            held.enter_context(builds.building(database, "a run", each, wait=wait))
        yield


def build(database: Path, target: str, logs: Path, *, quiet: bool = False) -> tuple[Command, Command | None]:
    """Run `dbt build` on the engine; on SQLite, freshness in the same process, which saves one. None where it is still
    to be asked for."""
    before = targets.preparations(target)
    after = [FRESHNESS] if target == SQLITE else []
    commands = [*before, builds.BUILD, *after]
    came = builds.run_dbt(database, commands, target, logs=logs, output=sys.stderr, quiet=quiet)
    builds.expect_prepared(came[: len(before)], logs, target)
    built, *told = came[len(before) :]
    return built, told[0] if told else None


def freshness(database: Path, target: str, logs: Path, told: Command | None, *, quiet: bool = False) -> Path:
    """Return dbt's sources.json about the log, which is in SQLite for every engine: what was carried over is as old
    as the last time. `told` is what `build` gave. Raises BuildError where dbt could not tell."""
    artifacts = results(database, target)
    if told is None:
        # Apart from a build's artifacts on SQLite, which stay that build's.
        artifacts = paths.build_folder(database, target) / "freshness"
        (told,) = builds.run_dbt(database, [FRESHNESS], logs=logs, artifacts=artifacts, output=sys.stderr, quiet=quiet)
    sources = artifacts / "sources.json"
    if not sources.exists():
        raise BuildError(f"dbt could not tell how fresh the sources are: {told.fault or 'it did not say why'}")
    return sources


def results(database: Path, target: str) -> Path:
    """Return where dbt leaves what came of a build."""
    return paths.build_folder(database, target) / "target"


@contextmanager
def fetched(
    log: sqlite3.Connection, database: Path, target: str, last_outcome: int | None
) -> Iterator[tuple[snapshot.Source, sqlite3.Connection]]:
    """Yield the marts as a file, and open; `last_outcome` is the last one that was carried to the engine. Raises
    OutcomesError where the engine does not give them."""
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
