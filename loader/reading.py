"""Questions to the marts. Each answer is a list of rows, as mappings from column to value."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

Answer = list[dict[str, Any]]

MIN_SAMPLES = 3


def rows(connection: sqlite3.Connection, query: str, parameters: Sequence[Any] = ()) -> Answer:
    cursor = connection.execute(query, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def stats(connection: sqlite3.Connection, task_type: str | None = None) -> Answer:
    """`model_stats`, of one task type or of all."""
    return rows(
        connection,
        "select * from model_stats where ?1 is null or task_type = ?1 order by task_type, model_id",
        (task_type,),
    )


def ranked_models(connection: sqlite3.Connection, task_type: str, min_samples: int = MIN_SAMPLES) -> Answer:
    """The models with at least `min_samples` trials at a task type, the best first.

    The order is that of `model_rankings` (lower Wilson bound, then trials, then cost per success,
    then name), taken afresh from the live view: an outcome counts as soon as it is committed.
    """
    return rows(
        connection,
        """
        select
            row_number() over (
                order by
                    success_rate_lower desc,
                    trials desc,
                    cost_per_success is null,
                    cost_per_success,
                    model_id
            ) as rank,
            *
        from model_stats
        where task_type = ? and trials >= max(?, 1)
        order by rank
        """,
        (task_type, min_samples),
    )


def task_types(connection: sqlite3.Connection) -> list[str]:
    return [row["task_type"] for row in rows(connection, "select distinct task_type from model_stats order by 1")]
