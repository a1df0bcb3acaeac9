"""Compare any two models at a task type, from the log. Names and formulas are those of the mart `ab_comparisons`,
which compares declared experiments."""

from __future__ import annotations

import sqlite3
from math import sqrt
from typing import Any

from model_outcomes.answers import build_settings, period, queries, strata
from model_outcomes.answers.build_settings import BuildSettings
from model_outcomes.answers.strata import Stratum
from model_outcomes.base.errors import OutcomesError

Comparison = dict[str, Any]

# The outcomes of one arm in a period. The query uses the log's index on task type and model, so it names all aliases.
ATTEMPTS = """
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
"""


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

    Averages are tokens and US dollars per trial. `difference`, its bounds, `e_value` and `verdict` compare the two
    inside the strata that both share: the same task or day, under one agent, effort and variant. They are valid at
    every look. Without a common stratum they are None, and `reason` says why and what to do. `naive_difference` is that
    of all trials; its bounds `newcombe_lower` and `newcombe_upper` are valid for one look, at a time chosen before the
    data. `since` is inclusive, `until` is exclusive; a day means midnight UTC. Raises OutcomesError if a time cannot be
    read or both models are the same.
    """
    models = {"incumbent": canonical(connection, incumbent), "challenger": canonical(connection, challenger)}
    if models["incumbent"] == models["challenger"]:
        raise OutcomesError(f"{incumbent} and {challenger} are the same model")
    begin, end = since and period.moment(since), until and period.moment(until)
    moments = (begin or "0000", end or "9999")
    settings = build_settings.read(connection)
    answer: Comparison = {
        "task_type": task_type,
        "incumbent_model_id": models["incumbent"],
        "challenger_model_id": models["challenger"],
        "started_at": begin,
        "ended_at": end,
    }
    for arm, model_id in models.items():
        totals = _totals(connection, model_id, task_type, moments)
        answer |= {f"{arm}_{name}": value for name, value in totals.items()}
    counts = _counts(connection, models, task_type, moments)
    shared = strata.shared(counts, settings.min_shared_tasks, settings.min_shared_task_share)
    same_configurations = strata.shared_configurations(counts)
    return answer | _in_strata(answer, shared, same_configurations, settings) | _pooled(answer, settings.z)


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


def _in_strata(
    answer: Comparison, shared: list[Stratum], same_configurations: int, settings: BuildSettings
) -> Comparison:
    """Return the difference inside strata, or in gbstats mode that of all trials, with its evidence and verdict."""
    pooled = Stratum(*(answer[f"{arm}_{name}"] for arm in ("incumbent", "challenger") for name in ("wins", "trials")))
    is_pooled = settings.sequential_mode == "gbstats"
    naive = strata.naive_difference(pooled)
    if is_pooled:
        difference, squared_error = naive, strata.unpooled_squared_error(pooled)
        compared = [pooled]
    else:
        difference, squared_error = strata.difference(shared)
        compared = shared
    trials = [
        sum(stratum.incumbent_trials for stratum in compared),
        sum(stratum.challenger_trials for stratum in compared),
    ]
    alpha, r = settings.alpha, strata.tuning(settings.alpha, settings.sequential_tuning_trials)
    half_width = strata.half_width(squared_error, sum(trials), alpha, r)
    evidence = strata.e_value(difference, squared_error, sum(trials), r)
    lower, upper = strata.bounds(difference, half_width)
    least = settings.min_trials_per_arm
    if min(pooled.incumbent_trials, pooled.challenger_trials) < least:
        verdict = "too_few_trials"
    elif not shared and not is_pooled:
        verdict = "no_common_ground"
    elif (len(shared) < settings.min_strata and not is_pooled) or min(trials) < least:
        verdict = "too_few_trials"
    elif lower is not None and lower > 0:
        verdict = "challenger_better"
    else:
        verdict = "incumbent_better" if upper is not None and upper < 0 else "no_verdict_yet"
    return {
        "sequential_mode": settings.sequential_mode,
        "difference": difference,
        "difference_lower": lower,
        "difference_upper": upper,
        "e_value": evidence,
        "deciding_e_value": 1 / alpha,
        "anytime_p_value": None if evidence is None else min(1.0, 1 / evidence),
        "verdict": verdict,
        "strata": len(shared),
        "shared_incumbent_trials": trials[0],
        "shared_challenger_trials": trials[1],
        "naive_difference": naive,
        "is_confounded": strata.is_confounded(naive, difference, half_width),
        "reason": None if is_pooled else _reason(pooled, shared, same_configurations),
    }


def _reason(pooled: Stratum, shared: list[Stratum], same_configurations: int) -> str | None:
    """Return why the two share no stratum, and what to do; None if they share one."""
    if shared:
        return None
    for arm, trials in (("incumbent", pooled.incumbent_trials), ("challenger", pooled.challenger_trials)):
        if not trials:
            return f"the {arm} has no trials in this period"
    if same_configurations:
        return (
            "the two never ran on the same day, nor at enough of the same tasks, under one configuration:"
            " give both some of each day's tasks"
        )
    return "the two never ran under the same agent, effort and variant: run both side by side under one of them"


def _pooled(answer: Comparison, z: float) -> Comparison:
    wins, trials = ([answer[f"{arm}_{name}"] for arm in ("incumbent", "challenger")] for name in ("wins", "trials"))
    if not all(trials):
        return {"newcombe_lower": None, "newcombe_upper": None}
    lower, upper = newcombe(wins[0], trials[0], wins[1], trials[1], z)
    return {"newcombe_lower": lower, "newcombe_upper": upper}


def _counts(
    connection: sqlite3.Connection, models: dict[str, str], task_type: str, moments: tuple[str, str]
) -> list[strata.Count]:
    """Return the trials and wins of both arms by configuration, day and task (None if no task is recorded)."""
    counts = []
    for arm, model_id in models.items():
        query = f"""
            {ATTEMPTS}
            select
                coalesce(agent, ''), coalesce(effort, ''), coalesce(variant, ''), outcome_date, task_id,
                count(*), sum(is_success)
            from attempts
            where is_trial = 1
            group by 1, 2, 3, 4, 5
        """
        for *configuration, day, task, trials, wins in connection.execute(query, (task_type, model_id, *moments)):
            counts.append(strata.Count(arm == "challenger", tuple(configuration), day, task, wins, trials))
    return counts


def canonical(connection: sqlite3.Connection, name: str) -> str:
    """Return the one name of a model, which may be given by an alias."""
    row = connection.execute("select model_id from model_aliases where alias = ?", (name,)).fetchone()
    return row[0] if row else name


def _totals(connection: sqlite3.Connection, model_id: str, task_type: str, moments: tuple[str, str]) -> dict[str, Any]:
    """Return the totals of one arm."""
    return queries.rows(
        connection,
        f"""
        {ATTEMPTS}
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
        (task_type, model_id, *moments),
    )[0]
