"""The one thing ever written to the orchestrator's database: a view `model_performance`, on request."""

from __future__ import annotations

from pathlib import Path

from model_outcomes.base import paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake.uok import source
from model_outcomes.log import store

VIEW = "model_performance"
MARK = "/* made by loader sync-uok --install-view */"


def install_view(path: Path) -> bool:
    """Create the view `model_performance` over the table's real columns; False where it is there already.

    One row per task_type and model_id: successes, failures, total_tokens, total_cost. A sum is null if the
    table has no such column; the cost is null, too, if no unit has one. Raises OutcomesError if the name is
    somebody else's, or the database cannot be written to.
    """
    path = paths.absolute(path)
    source.expect_file(path)
    # Before it is opened to be written: at the end SQLite would bring the WAL into somebody else's file.
    identity = store.identify(path)
    if identity.kind in ("log", "snapshot"):
        raise OutcomesError(f"{path} is a log of outcomes: name the orchestrator's own database")
    if source.TABLE not in map(str.lower, identity.tables):
        raise source.without_table(path)
    with source.opened(path, mode="rw") as connection:
        there = source.columns(connection, path)
        with store.transaction(connection):
            found = connection.execute("select type, sql from sqlite_master where lower(name) = ?", (VIEW,)).fetchone()
            if found == ("view", view_sql(there)):
                return False
            if found and not (found[0] == "view" and MARK in found[1]):
                raise OutcomesError(
                    f"{path} has a {found[0]} {VIEW} of its own, which stays as it is: nothing was done"
                )
            if found:
                connection.execute(f"drop view {VIEW}")
            connection.execute(view_sql(there))
    return True


def view_sql(columns: list[str]) -> str:
    tokens = "coalesce(sum(tokens_total), 0)" if "tokens_total" in columns else "null"
    cost = "sum(cost_usd)" if "cost_usd" in columns else "null"
    return f"""CREATE VIEW {VIEW} as {MARK}
select
    unit_type as task_type,
    model_id,
    count(case when succeeded = 1 then 1 end) as successes,
    count(case when succeeded = 0 then 1 end) as failures,
    {tokens} as total_tokens,
    {cost} as total_cost
from {source.TABLE}
group by unit_type, model_id"""
