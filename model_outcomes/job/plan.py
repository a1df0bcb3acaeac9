"""The plan of a run (`loader run --dry-run`): the files that it would load, and where it would publish."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from model_outcomes.base import console, locks, paths, settings
from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake import inbox, mapped_inbox, mapping
from model_outcomes.intake.inbox import InboxFile
from model_outcomes.job.run import Options
from model_outcomes.log import spool, store
from model_outcomes.publish import publisher, snapshot
from model_outcomes.warehouse import builds
from model_outcomes.warehouse.engines import targets


class Plan(msgspec.Struct):
    """The plan, with absolute paths. `inbox` groups paths by what a run would do with them. `held_by` is the process
    that holds the lock now. `published` is the run whose publication is current in `publish` (run_id, as_of,
    database)."""

    database: str
    target: str
    is_new_database: bool
    project: str
    held_by: dict[str, str | int] | None
    spool: list[str]
    legacy_json: str | None
    inbox: dict[str, list[str]] | None
    uok: str | None
    publish: str | None
    published: dict[str, str] | None

    def as_json(self) -> str:
        return console.escaped(msgspec.json.format(msgspec.json.encode(self), indent=2).decode())


def plan(database: Path, options: Options) -> Plan:
    """Return the plan of a run and change nothing. Raises OutcomesError if the run could not begin."""
    targets.expect_possible(options.target)
    if options.publish:
        publisher.check(options.publish, database)
    paths.source_name(database)
    has_log = database.exists() and store.expect_log(database).kind == "log"
    return Plan(
        database=paths.shown_path(database),
        target=options.target,
        is_new_database=not database.exists(),
        project=str(builds.project_folder()),
        held_by=locks.holder(paths.build_folder(database) / "lock"),
        spool=[paths.shown_path(path) for path in spool.waiting_files(database)],
        legacy_json=_expected(options.legacy_json),
        inbox=_inbox(database, options.inbox, has_log) if options.inbox or settings.named_loads() else None,
        uok=_expected(options.uok),
        publish=paths.shown_path(options.publish) if options.publish else None,
        published=snapshot.published_run(options.publish / paths.SNAPSHOT) if options.publish else None,
    )


def _expected(path: Path | None) -> str | None:
    if path and not path.is_file():
        raise OutcomesError(f"{path}: no such file")
    return paths.source_name(path) if path else None


def _inbox(database: Path, folder: Path | None, has_log: bool) -> dict[str, list[str]]:
    if has_log:
        with store.plain_faults(database), closing(store.open_existing(database, is_current=False)) as log:
            # A log of an older schema has no such column; the run would upgrade it first.
            column = "select 1 from pragma_table_info('inbox_files') where name = 'attempts'"
            has_inbox_files = log.execute(column).fetchone()
            files = _files(log if has_inbox_files else None, folder, database)
    else:
        files = _files(None, folder, database)
    paths_by_state: dict[str, list[str]] = {}
    for file in files:
        paths_by_state.setdefault(file.state, []).append(file.name)
    return paths_by_state


def _files(log: sqlite3.Connection | None, folder: Path | None, database: Path) -> list[InboxFile]:
    loads = settings.named_loads()
    files = inbox.listing(log, folder, database, others=mapped_inbox.folders(loads)) if folder else []
    for load in loads.values():
        if load.folder and load.mapping:
            files += mapped_inbox.listing(log, paths.absolute(load.folder), database, mapping.named(load.mapping))
    return files
