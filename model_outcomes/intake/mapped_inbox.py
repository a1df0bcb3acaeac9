"""Folders of other tools' files that a run loads: as the inbox, but by a mapping, and all files of a unit together."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import BinaryIO

from model_outcomes.base import paths
from model_outcomes.base.errors import BusyError, OutcomesError, UnreadableError
from model_outcomes.base.settings import LoadSettings
from model_outcomes.intake import inbox, mapped, mapping
from model_outcomes.intake.inbox import SETTLED_AFTER_S, InboxFile, InboxResult
from model_outcomes.intake.mapped import Unit
from model_outcomes.intake.mapping import Mapping, MissingParameterError
from model_outcomes.log import store


def folders(loads: dict[str, LoadSettings]) -> list[Path]:
    """Return the folders of loads."""
    return [paths.absolute(load.folder) for load in loads.values() if load.folder]


def listing(connection: sqlite3.Connection | None, folder: Path, database: Path, chosen: Mapping) -> list[InboxFile]:
    """Return the files of a folder that a mapping wants, as `inbox.listing`."""
    return inbox.listing(
        connection, folder, database, is_wanted=lambda path: mapped.is_wanted(chosen, path)
    )  # fmt: skip


def load(
    connection: sqlite3.Connection, name: str, settings: LoadSettings, database: Path, result: InboxResult
) -> None:
    """Load the units of a folder that have a new file, and add what happens to `result`. Call it within
    `loads.lock`."""
    if not settings.folder or not settings.mapping:
        return
    folder = paths.absolute(settings.folder)
    try:
        chosen = mapping.named(settings.mapping)
        values = {each: getattr(settings, each) for each in mapping.PARAMETERS}
        parameters = mapped.checked_parameters(chosen, values)
        files = {file.path: file for file in listing(connection, folder, database, chosen)}
    except OutcomesError as fault:
        result.faults.append(OutcomesError(f"load.{name}: {fault}"))
        return
    with store.synchronous(connection, "normal"):
        inbox.forget_removed(connection, folder, list(files.values()))
        states = {path: file.state for path, file in files.items()}
        readable = [path for path, state in states.items() if state in ("new", "known")]
        units = list(mapped.in_units(chosen, readable))
        new = [unit for unit in units if any(states[path] == "new" for path in unit.files)]
        pending = {path for unit in new for path in unit.files}
        for path, file in files.items():
            if path not in pending:
                inbox.is_settled_by_state(connection, file, result)
        for unit in new:
            _load(connection, folder, chosen, unit, parameters, [files[path] for path in unit.files], result)


def _load(
    connection: sqlite3.Connection,
    folder: Path,
    chosen: Mapping,
    unit: Unit,
    parameters: dict[str, object],
    files: list[InboxFile],
    result: InboxResult,
) -> None:
    by_path = {file.path: file for file in files}

    def opener(path: Path) -> BinaryIO:
        return inbox.open_inside(folder, by_path[path])

    _note(connection, files, begins=True)
    try:
        loaded = mapped.load(connection, chosen, unit, parameters, opener=opener)
    except (MissingParameterError, UnreadableError) as fault:
        # The cause may disappear without a change of the files, so the next run tries again.
        _forget(connection, files)
        result.faults.append(fault)
    except BusyError:
        raise
    except OutcomesError as fault:
        if any(file.age_s < SETTLED_AFTER_S for file in files):
            _forget(connection, files)
            result.being_written += [file.name for file in files]
            return
        result.faults.append(fault)
        for file in files:
            inbox.remember(connection, file, str(fault))
    else:
        _note(connection, files, begins=False)
        result.loaded.append(loaded)
        result.faults += [OutcomesError(problem) for problem in loaded.problems]


def _note(connection: sqlite3.Connection, files: list[InboxFile], *, begins: bool) -> None:
    """Note files as begun, before a load that may kill the process, or as loaded."""
    with store.transaction(connection):
        for file in files:
            inbox.remember(connection, file, None, attempts=file.attempts + 1 if begins else 0)


def _forget(connection: sqlite3.Connection, files: list[InboxFile]) -> None:
    with store.transaction(connection):
        for file in files:
            inbox.forget(connection, file)
