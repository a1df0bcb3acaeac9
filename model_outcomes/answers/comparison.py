"""Compare any two models at a task type, from the log. Names and formulas are those of the mart `ab_comparisons`,
which compares declared experiments."""

from __future__ import annotations

import re
import sqlite3
from math import sqrt
from typing import Any

from model_outcomes.answers import build_settings, queries
from model_outcomes.base import clock
from model_outcomes.base.errors import OutcomesError
from model_outcomes.log import validation

Comparison = dict[str, Any]


def compare(
    connection: sqlite3.Connection,
    incumbent: str,
    challenger: str,
    task_type: str,
    *,
    since: str | None = None,
    until: str | None = None,
) -> Comparison:
    """Return trials, wins and averages of both models, and the difference of success rates (challenger - incumbent).

    Averages are tokens and US dollars per trial. The bounds `newcombe_lower` and `newcombe_upper` are valid for one
    look, at a time chosen before the data. `since` is inclusive, `until` is exclusive; a day means midnight UTC.
    Raises OutcomesError if a time cannot be read or both models are the same.
    """
    models = {"incumbent": _canonical(connection, incumbent), "challenger": _canonical(connection, challenger)}
    if models["incumbent"] == models["challenger"]:
        raise OutcomesError(f"{incumbent} and {challenger} are the same model")
    period = (_timestamp(since, "0000"), _timestamp(until, "9999"))
    answer: Comparison = {
        "task_type": task_type,
        "incumbent_model_id": models["incumbent"],
        "challenger_model_id": models["challenger"],
        "started_at": since and period[0],
        "ended_at": until and period[1],
    }
    for arm, model_id in models.items():
        totals = _totals(connection, model_id, task_type, period)
        answer |= {f"{arm}_{name}": value for name, value in totals.items()}
    return answer | _difference(answer, build_settings.read(connection).z)


def arms(answer: Comparison, z: float) -> queries.Answer:
    """Return a comparison as one row per arm, with the interval of its success rate, for a table. `z` is the normal
    quantile."""
    names = ("model_id", "trials", "success_rate", "infrastructure_failures", "avg_tokens", "avg_cost")
    rows = [{"arm": arm, **{name: answer[f"{arm}_{name}"] for name in names}} for arm in ("incumbent", "challenger")]
    for row in rows:
        bounds = wilson(answer[f"{row['arm']}_wins"], row["trials"], z) if row["trials"] else (None, None)
        row["success_rate_lower"], row["success_rate_upper"] = bounds
    return rows


def wilson(successes: int, trials: int, z: float) -> tuple[float, float]:
    """Return the score interval of a rate; trials > 0, `z` the normal quantile. Source: Wilson (1927)."""
    centre = (successes + z * z / 2) / (trials + z * z)
    half = z * sqrt(successes * (trials - successes) / trials + z * z / 4) / (trials + z * z)
    return max(0.0, centre - half), min(1.0, centre + half)


def newcombe(successes_a: int, trials_a: int, successes_b: int, trials_b: int, z: float) -> tuple[float, float]:
    """Return the hybrid score interval of p_b - p_a; trials > 0. Source: Newcombe (1998), method 10."""
    rate_a, rate_b = successes_a / trials_a, successes_b / trials_b
    (lower_a, upper_a), (lower_b, upper_b) = wilson(successes_a, trials_a, z), wilson(successes_b, trials_b, z)
    difference = rate_b - rate_a
    return (
        difference - sqrt((rate_b - lower_b) ** 2 + (upper_a - rate_a) ** 2),
        difference + sqrt((upper_b - rate_b) ** 2 + (rate_a - lower_a) ** 2),
    )


def _difference(answer: Comparison, z: float) -> Comparison:
    wins, trials = ([answer[f"{arm}_{name}"] for arm in ("incumbent", "challenger")] for name in ("wins", "trials"))
    if not all(trials):
        return {"difference": None, "newcombe_lower": None, "newcombe_upper": None}
    lower, upper = newcombe(wins[0], trials[0], wins[1], trials[1], z)
    difference = answer["challenger_success_rate"] - answer["incumbent_success_rate"]
    return {"difference": difference, "newcombe_lower": lower, "newcombe_upper": upper}


def _canonical(connection: sqlite3.Connection, name: str) -> str:
    row = connection.execute("select model_id from model_aliases where alias = ?", (name,)).fetchone()
    return row[0] if row else name


def _totals(connection: sqlite3.Connection, model_id: str, task_type: str, period: tuple[str, str]) -> dict[str, Any]:
    """Return the totals of one arm. The query uses the log's index on task type and model, so it names all aliases."""
    return queries.rows(
        connection,
        """
        with attempts as (
            select
                *,
                case
                    when
                        is_success = 0
                        and error_type in (select error_type from int_error_types where attribution = 'infrastructure')
                        then 0
                    else 1
                end as is_trial
            from int_outcomes_corrected
            where
                task_type = ?1
                and model_id in (select ?2 union all select alias from model_aliases where model_id = ?2)
                and occurred_at >= ?3
                and occurred_at < ?4
        )
        select
            coalesce(sum(is_trial), 0) as trials,
            coalesce(sum(is_success), 0) as wins,
            avg(case when is_trial = 1 then is_success end) as success_rate,
            avg(case when is_trial = 1 and is_metered = 1 then tokens_used end) as avg_tokens,
            sum(case when is_trial = 1 then cost_nano_usd / 1e9 end)
            / nullif(sum(case when is_trial = 1 then is_priced end), 0) as avg_cost,
            count(*) - coalesce(sum(is_trial), 0) as infrastructure_failures,
            1 - avg(is_trial) as lost_share
        from attempts
        """,
        (task_type, model_id, *period),
    )[0]


def _timestamp(text: str | None, default: str) -> str:
    """Return a time in the format of `occurred_at`, `default` if it is None."""
    if text is None:
        return default
    full = f"{text}T00:00:00Z" if re.fullmatch(r"\d{4}-\d\d-\d\d", text) else text
    moment = clock.to_text(validation.parse_time(full))
    return f"{moment[:10]} {moment[11:23]}"
