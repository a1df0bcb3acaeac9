"""Counts of outcomes by further facts: an agent, an effort, a variant, or a key of the attributes.

The rollups do not hold these facts, so one query reads the log once. It treats infrastructure failures, aliases and
corrections as `model_stats` does. Opening balances have no facts and are left out.
"""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from model_outcomes.answers import build_settings, comparison, queries
from model_outcomes.base.errors import OutcomesError

COLUMNS = ("agent", "effort", "variant")
NAMES_LIMIT = 20
FIGURES = (
    "attempts", "successes", "failures", "timeouts", "timed_out_successes", "infrastructure_failures", "trials",
    "success_rate", "success_rate_lower", "success_rate_upper", "total_tokens", "total_cost", "priced_trials",
)  # fmt: skip
UNIT = 10**11  # a sum is kept as two integers, as in the rollups, because one could need more than 64 bits


def stats(
    connection: sqlite3.Connection, keys: Sequence[str], task_type: str | None = None, since: str | None = None
) -> queries.Answer:
    """Return a row for each task type, model and combination of values of `keys`, for one task type or all.

    A row has the value of each key (None if the outcomes have none), and `FIGURES`: counts, the success rate with its
    Wilson interval, tokens and US dollars. `total_cost` is None if no cost is known. With `since`, a time in the
    format of `occurred_at`, only outcomes from then on count. Raises OutcomesError if no outcome has a key.
    """
    if repeated := next((key for key in keys if keys.count(key) > 1), None):
        raise OutcomesError(f"--by names {repeated} twice")
    z = build_settings.read(connection).z
    paths = [_path(key) for key in keys if key not in COLUMNS]
    rows = queries.rows(connection, _query(keys), (task_type, since or "", *paths))
    for number, key in enumerate(keys):
        if key not in COLUMNS and all(row[f"fact_{number}"] is None for row in rows):
            raise _unknown(connection, key, task_type)
    answer = [_answer(row, keys, z) for row in rows]
    return answer if since is None else [{**row, "since": since} for row in answer]


def heading(key: str) -> str:
    """Return the name of a key in an answer. A figure may have the same name."""
    return f"attributes.{key}" if key in (*FIGURES, "task_type", "model_id") else key


def _answer(row: dict[str, Any], keys: Sequence[str], z: float) -> dict[str, Any]:
    trials = row["trials"]
    rate: tuple[float | None, ...] = (None, None, None)
    if trials:
        rate = (row["successes"] / trials, *comparison.wilson(row["successes"], trials, z))
    row["success_rate"], row["success_rate_lower"], row["success_rate_upper"] = rate
    row["total_tokens"] = row["tokens_rest"] + UNIT * row["tokens_units"]
    row["total_cost"] = (row["nano_usd_rest"] + UNIT * row["nano_usd_units"]) / 1e9 if row["is_priced"] else None
    facts = {heading(key): row[f"fact_{number}"] for number, key in enumerate(keys)}
    names = {name: row[name] for name in ("task_type", "model_id")}
    return {**names, **facts, **{name: row[name] for name in FIGURES}}


def _query(keys: Sequence[str]) -> str:
    paths = itertools.count(3)  # numbers of parameters; 1 is the task type, 2 the begin of the period
    facts = [
        f"{key if key in COLUMNS else f'json_extract(attributes, ?{next(paths)})'} as fact_{number}"
        for number, key in enumerate(keys)
    ]
    groups = ", ".join(["task_type", "model_id", *(f"fact_{number}" for number in range(len(keys)))])
    return f"""
    with named as (
        select
            outcomes.task_type,
            coalesce(aliases.model_id, outcomes.model_id) as model_id,
            {", ".join(facts)},
            outcomes.is_success, outcomes.error_type, outcomes.is_timeout, outcomes.is_priced, outcomes.tokens_used,
            outcomes.cost_nano_usd
        from int_outcomes_corrected as outcomes
        left join model_aliases as aliases on outcomes.model_id = aliases.alias
        where (?1 is null or outcomes.task_type = ?1) and (?2 = '' or outcomes.occurred_at >= ?2)
    ),
    judged as (
        select named.*, is_success = 1 or coalesce(types.attribution, '') <> 'infrastructure' as is_trial
        from named left join int_error_types as types on named.error_type = types.error_type
    )
    select
        {groups},
        count(*) as attempts,
        sum(is_success) as successes,
        sum(1 - is_success) as failures,
        sum(is_timeout * (1 - is_success)) as timeouts,
        sum(is_timeout * is_success) as timed_out_successes,
        sum(1 - is_trial) as infrastructure_failures,
        sum(is_trial) as trials,
        sum(tokens_used % {UNIT}) as tokens_rest,
        sum(tokens_used / {UNIT}) as tokens_units,
        sum(cost_nano_usd % {UNIT}) as nano_usd_rest,
        sum(cost_nano_usd / {UNIT}) as nano_usd_units,
        sum(is_priced * is_trial) as priced_trials,
        max(cost_nano_usd > 0 or is_priced * is_trial) as is_priced
    from judged
    group by {groups}
    order by {groups}
    """


def _unknown(connection: sqlite3.Connection, key: str, task_type: str | None) -> OutcomesError:
    """Return the error for a key that no outcome has. It names the keys that exist."""
    names = [name for (name,) in connection.execute(
        "select distinct facts.key from stg_model_outcomes, json_each(attributes) as facts"
        " where attributes is not null and (?1 is null or task_type = ?1) order by 1 limit ?2",
        (task_type, NAMES_LIMIT + 1),
    )]  # fmt: skip
    more = ", ..." if len(names) > NAMES_LIMIT else ""
    return OutcomesError(f"no outcome has {key!r}; choose from: {', '.join([*COLUMNS, *names[:NAMES_LIMIT]])}{more}")


def _path(key: str) -> str:
    """Return the JSON path of a key of the attributes."""
    return f"$.{json.dumps(key, ensure_ascii=False)}"
