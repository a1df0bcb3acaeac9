"""Queries of the marts. Each answer is a list of rows, which map column to value."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from model_outcomes.answers import build_settings, period
from model_outcomes.base.connection import Connection
from model_outcomes.base.errors import OutcomesError

Answer = list[dict[str, Any]]

RANKED = """
    select
        row_number() over (
            order by
                success_rate_lower desc,
                trials desc,
                case when cost_per_success is null then 1 else 0 end,
                cost_per_success,
                model_id
        ) as rank,
        *
    from {}
    order by rank
"""


def rows(connection: Connection, query: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> Answer:
    cursor = connection.execute(query, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def stats(connection: Connection, task_type: str | None = None, since: str | None = None) -> Answer:
    """Return the rows of `model_stats`, for one task type or all.

    With `since`, a time in the format of `occurred_at`, only outcomes from then on count. Opening balances have no time
    and are left out. Only the log itself can answer that.
    """
    if since is not None:
        query = f"select * from ({_of_period(connection)}) order by task_type, model_id"
        return _with_period(rows(connection, query, {"since": since, "task_type": task_type}), since)
    condition = "" if task_type is None else "where task_type = ?"
    return rows(
        connection,
        f"select * from model_stats {condition} order by task_type, model_id",
        () if task_type is None else (task_type,),
    )


def ranked_models(
    connection: Connection, task_type: str, min_samples: int | None = None, since: str | None = None
) -> Answer:
    """Return the models with at least `min_samples` trials at a task type, the best first. None means the
    `min_samples` of the last build. `since` is as in `stats`.

    The order is that of `model_rankings`: lower Wilson bound, then trials, then cost per success, then name. The rows
    come from the live view, so an outcome counts as soon as it is committed. `is_retired` is that of the last build,
    and 0 if the model was used after it; None if the last build does not say.
    """
    least = max(build_settings.read(connection).min_samples if min_samples is None else min_samples, 1)
    if since is None:
        ranked = rows(connection, RANKED.format("model_stats where task_type = ? and trials >= ?"), (task_type, least))
    else:
        query = RANKED.format(f"({_of_period(connection)}) where trials >= :least")
        parameters = {"since": since, "task_type": task_type, "least": least}
        ranked = _with_period(rows(connection, query, parameters), since)
    retired = _retired(connection, task_type)
    for row in ranked:
        row["is_retired"] = None if retired is None else int((row["model_id"], row["last_used"]) in retired)
    return ranked


def _retired(connection: Connection, task_type: str) -> set[tuple[str, str | None]] | None:
    """Return the models that the last build calls retired, with the time of their last outcome then; None if it does
    not say."""
    if (
        isinstance(connection, sqlite3.Connection)
        and not connection.execute(
            "select 1 from pragma_table_info('model_rankings') where name = 'is_retired'"
        ).fetchone()
    ):
        return None
    query = "select model_id, last_used from model_rankings where task_type = ? and is_retired = 1"
    return set(connection.execute(query, (task_type,)).fetchall())


def _of_period(connection: Connection) -> str:
    if not isinstance(connection, sqlite3.Connection):
        raise OutcomesError("a period reads the log: leave out --target")
    return period.stats_query(connection)


def _with_period(answer: Answer, since: str) -> Answer:
    return [{**row, "since": since} for row in answer]


def trends(connection: sqlite3.Connection, task_type: str | None, model_id: str | None, days: int) -> Answer:
    """Return the rows of `model_daily_trends` for the last `days` days, up to the last day with an outcome."""
    return rows(
        connection,
        """
        select *
        from model_daily_trends
        where
            (?1 is null or task_type = ?1)
            and (?2 is null or model_id = ?2)
            and outcome_date > (
                select date(max(outcome_date), ?3) from model_daily_trends where outcome_date <= date('now', '+1 day')
            )
        order by task_type, model_id, outcome_date
        """,
        (task_type, model_id, f"-{days} days"),
    )


def demotion_candidates(connection: sqlite3.Connection, task_type: str | None = None) -> Answer:
    return _of_task_type(connection, "demotion_candidates", task_type)


def ab_test_candidates(connection: sqlite3.Connection, task_type: str | None = None) -> Answer:
    return _of_task_type(connection, "ab_test_candidates", task_type)


def recommendations(connection: sqlite3.Connection, task_type: str | None = None) -> Answer:
    """Return the rows of `recommendations`, one per task type, for one task type or all."""
    return _of_task_type(connection, "recommendations", task_type, "task_type")


def expect_task_type(connection: Connection, task_type: str | None) -> None:
    """Raise OutcomesError if the task type has no outcomes, which is most likely a misspelling. Name all that have."""
    if task_type is None or stats(connection, task_type):
        return
    names = [row["task_type"] for row in rows(connection, "select distinct task_type from model_stats order by 1")]
    choice = f"choose one of: {', '.join(names)}" if names else "the log is empty"
    raise OutcomesError(f"no outcomes for task type {task_type!r}; {choice}")


def _of_task_type(
    connection: sqlite3.Connection, mart: str, task_type: str | None, order: str = "task_type, model_id"
) -> Answer:
    query = f"select * from {mart} where ?1 is null or task_type = ?1 order by {order}"
    return rows(connection, query, (task_type,))
