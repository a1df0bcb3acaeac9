"""What a run would do, found out without changing anything: the files it would take in, where it would publish."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import msgspec

from loader import locks, places, spool, store, warehouse
from loader.engines import targets
from loader.errors import OutcomesError
from loader.pipeline import inbox
from loader.pipeline.running import Options


class Plan(msgspec.Struct):
    """Absolute paths. `inbox` holds paths by what would become of them; `held_by` says who works just now."""

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

    def as_json(self) -> str:
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode()


def plan(database: Path, options: Options) -> Plan:
    """Raises OutcomesError where the run could not even begin."""
    targets.expect_possible(options.target)
    return Plan(
        database=str(database),
        target=options.target,
        is_new_database=not database.exists(),
        project=str(warehouse.project_folder()),
        held_by=locks.holder(places.build_folder(database) / "lock"),
        spool=[str(path) for path in spool.waiting_files(database)],
        legacy_json=_expected(options.legacy_json),
        inbox=_inbox(database, options.inbox) if options.inbox else None,
        uok=_expected(options.uok),
        publish=str(options.publish) if options.publish else None,
    )


def _expected(path: Path | None) -> str | None:
    if path and not path.is_file():
        raise OutcomesError(f"{path}: no such file")
    return str(path) if path else None


def _inbox(database: Path, folder: Path) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if database.exists() and not store.orphaned_wal(database):  # SQLite deletes such a WAL even to read the file
        with store.plain_faults(database), closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as log:
            has_memory = log.execute("select 1 from sqlite_master where name = 'inbox_files'").fetchone()
            files = inbox.look(log if has_memory else None, folder, database)
    else:
        files = inbox.look(None, folder, database)
    for file in files:
        found.setdefault(file.standing, []).append(str(file.path))
    return found
