"""What comes in: exports of other projects, taken whole or not at all, each outcome once.

Of each window of a project the latest export stands. What stands of a project never overlaps: neither
its windows, nor the days of a cell's rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import pairwise

import msgspec

from model_outcomes.base import clock
from model_outcomes.base.errors import OutcomesError
from model_outcomes.federation import windows
from model_outcomes.federation.files import Refused
from model_outcomes.federation.format import FIGURES, Export, Row
from model_outcomes.log import store

_COLUMNS = ("task_type", "model_id", "failures", "noise_variance", *FIGURES)
_INSERT_ROW = f"insert into federated_import_rows (import_id, {', '.join(_COLUMNS)}) values (?{', ?' * len(_COLUMNS)})"


class Taken(msgspec.Struct, frozen=True):
    """The result of an import: the export is new, replaces an older one, is known, or older than what is known."""

    project: str
    window: str
    rows: int
    became: str


def take(connection: sqlite3.Connection, name: str, exports: Iterable[Export]) -> list[Taken]:
    """Take the exports of a file, in one transaction; Refused where they would count something twice."""
    with store.transaction(connection):
        own = connection.execute("select project from federated_identity").fetchone()
        taken, faults = [], []
        for export in exports:
            if own and export.header.project == own[0]:
                faults.append(f"{export.header.window}: is an export of this very project")
                continue
            became = _take_one(connection, name, export)
            if became is None:
                faults.append(f"{export.header.window}: differs from another export of the same moment")
                continue
            taken.append(Taken(export.header.project, export.header.window, export.header.rows, became))
        for project in sorted({one.project for one in taken}):
            faults += _overlaps(connection, project)
        if faults:
            raise Refused(name, faults)
        return taken


def forget(connection: sqlite3.Connection, project: str) -> tuple[str, int]:
    """Remove all that came from a project, which the beginning of its pseudonym names; its number of windows.

    Raises OutcomesError where no project, or more than one, is so named.
    """
    with store.transaction(connection):
        names = [
            name for (name,) in connection.execute(
                "select distinct project from federated_imports where substr(project, 1, length(?1)) = ?1", (project,)
            )
        ]  # fmt: skip
        if len(names) != 1 or not project:
            said = f"{len(names)} projects begin with" if project and names else "no project is called"
            raise OutcomesError(f"{said} {project!r}: `loader federation list` has their names")
        return names[0], connection.execute("delete from federated_imports where project = ?", names).rowcount


def _take_one(connection: sqlite3.Connection, name: str, export: Export) -> str | None:
    """Return what became of it; None if nobody can say which of two exports holds."""
    header = export.header
    known = connection.execute(
        "select import_id, as_of, rows_sha256 from federated_imports where project = ? and export_window = ?",
        (header.project, header.window),
    ).fetchone()
    if known:
        import_id, as_of, sha256 = known
        if sha256 == header.sha256 and _moment(as_of) >= _moment(header.as_of):
            return "known"  # else the same rows have come back, and stand against what came between
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
    return "replaced" if known else "new"


def _moment(as_of: str) -> str:
    """Return a time as text that sorts: with or without a fraction."""
    seconds, _, fraction = as_of.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction:0<6}"


def _values(row: Row) -> list[object]:
    values = {name: getattr(row, name) for name in _COLUMNS}
    if row.failures is None:
        values["failures"] = (row.outcomes or 0) - row.successes
    values["noise_variance"] = row.noise_variance or 0.0
    return [values[name] for name in _COLUMNS]


def _overlaps(connection: sqlite3.Connection, project: str) -> list[str]:
    """Return where the current exports of a project would count something twice."""
    known = connection.execute(
        "select export_window from federated_imports where project = ? and export_window <> ? order by 1",
        (project, windows.OPENING),
    ).fetchall()
    spans = [(window, windows.span(window)) for (window,) in known]
    faults = [
        f"{window}: overlaps {before}, another window of the project"
        for (before, earlier), (window, later) in pairwise(spans)
        if earlier and later and later[0] <= earlier[1]
    ]
    cells = connection.execute(
        """
        with standing as (
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
        from standing
        where first_day <= substr(window_before, 12)
        order by 1, 2, 3
        """,
        (project,),
    )
    return faults + [
        f"{window}: {task_type}, {model_id} counts days again that its row in {before} has"
        for window, task_type, model_id, before in cells
    ]
