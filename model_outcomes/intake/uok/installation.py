"""The view `model_performance`, which is created in the orchestrator's database on request. Nothing else is written
to it."""

from __future__ import annotations

from pathlib import Path

from model_outcomes.base import paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake.uok import source
from model_outcomes.log import store

VIEW = "model_performance"
MARK = "/* made by loader sync-uok --install-view */"


def install_view(path: Path) -> bool:
    """Create the view `model_performance` over the columns that the table has. Return False if it exists.

    One row per task_type and model_id: successes, failures, total_tokens, total_cost. A sum is null if the table has no
    such column; the cost is also null if no unit has one. Raises OutcomesError if another program owns the name, or the
    database cannot be written to.
    """
    path = paths.absolute(path)
    source.expect_file(path)
    # Before it is opened to be written, because SQLite would bring the WAL into another program's file.
    identity = store.identify(path)
    if identity.kind in ("log", "snapshot"):
        raise OutcomesError(f"{path} is a log of outcomes: name the orchestrator's own database")
    if source.TABLE not in map(str.lower, identity.tables):
        raise source.without_table(path)
    with source.opened(path, to_write=True) as connection:
        view = view_sql(source.columns(connection, path))
        with store.transaction(connection):
            kind, sql = connection.execute(
                "select type, sql from sqlite_master where lower(name) = ?", (VIEW,)
            ).fetchone() or ("", "")
            if (kind, sql) == ("view", view):
                return False
            if kind and not (kind == "view" and MARK in sql):
                raise OutcomesError(f"{path} has its own {kind} {VIEW}, which stays as it is: nothing was changed")
            if kind:
                connection.execute(f"drop view {VIEW}")
            connection.execute(view)
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
