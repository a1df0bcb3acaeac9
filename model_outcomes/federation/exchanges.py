"""Answers `loader federation list`: the exports and imports of this project, and the privacy that noise has spent."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from model_outcomes.answers import queries, terminal

COLUMNS: Sequence[terminal.Column] = (
    terminal.Column("", lambda row: str(row["direction"])),
    terminal.Column("project", lambda row: row["project"][:8]),
    terminal.name("window", "export_window"),
    terminal.Column("cells", terminal.integer("row_count")),
    terminal.Column("outcomes", terminal.integer("outcomes")),
    terminal.Column("epsilon", lambda row: "" if row["epsilon"] is None else f"{row['epsilon']:g}"),
    terminal.name("licence", "licence"),
    terminal.Column("as of", terminal.day("as_of")),
)


def exchanges(connection: sqlite3.Connection) -> queries.Answer:
    """Return the current exports of this project, then the imports from other projects, each by window."""
    return queries.rows(
        connection,
        """
        select * from (select
            'exported' as direction, project, export_window, row_count,
            case when epsilon is null then (
                select sum(outcomes) from federated_export_rows as cells where cells.export_id = exports.export_id
            ) end as outcomes,
            epsilon, licence, as_of, rows_sha256, null as source
        from federated_exports as exports
        cross join federated_identity
        where replaced_by is null
        union all
        select
            'imported', project, export_window, row_count,
            (
                select sum(coalesce(outcomes, successes + failures)) from federated_import_rows as cells
                where cells.import_id = imports.import_id
            ),
            epsilon, licence, as_of, rows_sha256, source
        from federated_imports as imports)
        order by direction, project, case export_window when 'opening' then '' else export_window end
        """,
    )


def privacy_spent(connection: sqlite3.Connection) -> str | None:
    """Return the privacy loss of all noisy exports as a sentence; None if there are no noisy exports."""
    largest, total, windows = connection.execute(
        "select max(epsilon), sum(epsilon), count(*)"
        " from (select export_window, max(epsilon) as epsilon from federated_draws group by export_window)"
    ).fetchone()
    if not windows:
        return None
    return (
        f"privacy spent: epsilon {largest:g} for a single outcome (each is in one draw of noise, or in two"
        f" if its error was attributed otherwise later),"
        f" {total:g} for a person with one outcome in each of all {windows:,} windows"
    )
