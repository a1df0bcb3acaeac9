"""Imports exports of other projects: a file whole or not at all, and each outcome once.

The latest export of each window of a project is current. The current exports of a project never overlap: neither
their windows, nor the days of the rows of a cell.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import pairwise

import msgspec

from model_outcomes.base import clock
from model_outcomes.base.errors import OutcomesError
from model_outcomes.federation import windows
from model_outcomes.federation.files import RejectedFile
from model_outcomes.federation.format import FIGURES, Export, Row
from model_outcomes.log import store

_COLUMNS = ("task_type", "model_id", "failures", "noise_variance", *FIGURES)
_INSERT_ROW = f"insert into federated_import_rows (import_id, {', '.join(_COLUMNS)}) values (?{', ?' * len(_COLUMNS)})"


class ImportResult(msgspec.Struct, frozen=True):
    """The result of importing one export; `status` is new, replaced (an older one), known, or older (than ours)."""

    project: str
    window: str
    rows: int
    status: str


def import_exports(connection: sqlite3.Connection, name: str, exports: Iterable[Export]) -> list[ImportResult]:
    """Import the exports of a file, in one transaction. Raises RejectedFile if they would count something twice."""
    with store.transaction(connection):
        own = connection.execute("select project from federated_identity").fetchone()
        results, faults = [], []
        for export in exports:
            if own and export.header.project == own[0]:
                faults.append(f"{export.header.window}: is an export of this project itself")
                continue
            status = _import_one(connection, name, export)
            if status is None:
                faults.append(f"{export.header.window}: differs from another export with the same as_of")
                continue
            results.append(ImportResult(export.header.project, export.header.window, export.header.rows, status))
        for project in sorted({result.project for result in results}):
            faults += _overlaps(connection, project)
        if faults:
            raise RejectedFile(name, faults)
        return results


def forget(connection: sqlite3.Connection, project: str) -> tuple[str, int]:
    """Remove all imports from the project whose pseudonym begins with `project`. Return the pseudonym and the number of
    removed windows.

    Raises OutcomesError if no project, or more than one, has such a pseudonym.
    """
    with store.transaction(connection):
        names = [
            name for (name,) in connection.execute(
                "select distinct project from federated_imports where substr(project, 1, length(?1)) = ?1", (project,)
            )
        ]  # fmt: skip
        if len(names) != 1 or not project:
            subject = f"{len(names)} projects begin with" if project and names else "no project begins with"
            raise OutcomesError(f"{subject} {project!r}: see the names in `loader federation list`")
        return names[0], connection.execute("delete from federated_imports where project = ?", names).rowcount


def _import_one(connection: sqlite3.Connection, name: str, export: Export) -> str | None:
    """Import one export and return its status; None if another export of the same moment differs from it."""
    header = export.header
    current = connection.execute(
        "select import_id, as_of, rows_sha256 from federated_imports where project = ? and export_window = ?",
        (header.project, header.window),
    ).fetchone()
    if current:
        import_id, as_of, sha256 = current
        if sha256 == header.sha256 and _moment(as_of) >= _moment(header.as_of):
            return "known"  # with a later time the same rows are valid again, instead of those of an export between
        if _moment(as_of) == _moment(header.as_of):
            return None
        if _moment(as_of) > _moment(header.as_of):
            return "older"
        connection.execute("delete from federated_imports where import_id = ?", (import_id,))
    import_id = connection.execute(
        "insert into federated_imports (project, export_window, as_of, licence, epsilon, row_count, rows_sha256,"
        " source, imported_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (header.project, header.window, header.as_of, header.licence, header.privacy.epsilon, header.rows,
         header.sha256, name, clock.to_text(clock.utc_now())),
    ).lastrowid  # fmt: skip
    connection.executemany(_INSERT_ROW, ((import_id, *_values(row)) for row in export.rows))
    return "replaced" if current else "new"


def _moment(as_of: str) -> str:
    """Return a time as text that sorts by time, with or without a fraction in it."""
    seconds, _, fraction = as_of.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction:0<6}"


def _values(row: Row) -> list[object]:
    values = {name: getattr(row, name) for name in _COLUMNS}
    if row.failures is None:
        values["failures"] = (row.outcomes or 0) - row.successes
    values["noise_variance"] = row.noise_variance or 0.0
    return [values[name] for name in _COLUMNS]


def _overlaps(connection: sqlite3.Connection, project: str) -> list[str]:
    """Return a line for each pair of current exports of a project that counts something twice."""
    names = connection.execute(
        "select export_window from federated_imports where project = ? and export_window <> ? order by 1",
        (project, windows.OPENING),
    ).fetchall()
    spans = [(window, windows.span(window)) for (window,) in names]
    faults = [
        f"{window}: overlaps {before}, another window of the project"
        for (before, earlier), (window, later) in pairwise(spans)
        if earlier and later and later[0] <= earlier[1]
    ]
    cells = connection.execute(
        """
        with dated_rows as (
            select
                export_window, task_type, model_id, first_day,
                lag(export_window) over (
                    partition by task_type, model_id order by export_window
                ) as window_before
            from federated_import_rows
            inner join federated_imports using (import_id)
            where project = ? and first_day is not null
        )
        select export_window, task_type, model_id, window_before
        from dated_rows
        where first_day <= substr(window_before, 12)
        order by 1, 2, 3
        """,
        (project,),
    )
    return faults + [
        f"{window}: {task_type}, {model_id} counts days that its row in {before} counts, too"
        for window, task_type, model_id, before in cells
    ]
