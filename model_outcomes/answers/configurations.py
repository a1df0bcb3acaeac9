"""Rank the configurations of a task type: models by agent, effort or variant. Also tell agents and models apart.

The figures are those of the marts `configuration_rankings` and `agent_comparisons`, as of the last build.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model_outcomes.answers import build_settings, comparison, queries
from model_outcomes.answers.phrases import counted, named, points
from model_outcomes.base.connection import Connection
from model_outcomes.base.errors import OutcomesError

KEYS = ("agent", "effort", "variant")
SUMS = ("trials", "successes", "infrastructure_failures", "priced_trials", "priced_successes")
AGENTS_SHOWN = 5


def keys_of(text: str) -> list[str]:
    """Return the keys of a list with commas. Raises OutcomesError if one is unknown or named twice."""
    keys = [key.strip() for key in text.split(",")]
    for key in keys:
        if key not in KEYS:
            raise OutcomesError(f"--by takes {', '.join(KEYS)}, not {key!r}")
    if repeated := next((key for key in keys if keys.count(key) > 1), None):
        raise OutcomesError(f"--by names {repeated} twice")
    return keys


def ranked(
    connection: Connection, task_type: str, keys: Sequence[str], min_samples: int | None = None
) -> queries.Answer:
    """Return a row for each model and combination of values of `keys` with at least `min_samples` trials, the best
    first. None means the `min_samples` of the last build.

    Configurations with the same values are added up. The order is that of `configuration_rankings`. A value is None
    if it is not recorded. Costs are in US dollars; `total_cost` is None if no cost is known.
    """
    settings = build_settings.read(connection)
    least = max(settings.min_samples if min_samples is None else min_samples, 1)
    groups: dict[tuple[str, ...], queries.Answer] = {}
    for row in queries.rows(connection, "select * from configuration_rankings where task_type = ?", (task_type,)):
        groups.setdefault((row["model_id"], *(row[key] for key in keys)), []).append(row)
    rows = [_sum(group, keys, settings.z) for group in groups.values() if sum(row["trials"] for row in group) >= least]
    rows.sort(key=lambda row: _place(row, keys))
    return [{"rank": number, **row} for number, row in enumerate(rows, start=1)]


def agent_notes(connection: Connection, task_type: str) -> list[str]:
    """Return lines that say how much of the difference between two agents is their own. If no model was tried by two
    agents at the same tasks or days, one line says why nothing is known."""
    rows = queries.rows(
        connection,
        "select * from agent_comparisons where task_type = ? order by e_value desc, agent, other_agent",
        (task_type,),
    )
    lines = [_agents_in_words(row) for row in rows[:AGENTS_SHOWN]]
    if len(rows) > AGENTS_SHOWN:
        lines.append(f"{counted(len(rows) - AGENTS_SHOWN, 'more pair')} of agents: see the table agent_comparisons.")
    return lines or [_why_not(connection, task_type)]


def _agents_in_words(row: dict[str, Any]) -> str:
    agent, other = named(row["agent"]), named(row["other_agent"])
    figures = f"{points(row['difference'])} points"
    if row["difference_lower"] is not None:
        figures += f", interval {points(row['difference_lower'])} to {points(row['difference_upper'])}"
    verdict = {
        "other_better": f"{other} is surely better",
        "first_better": f"{agent} is surely better",
        "no_verdict_yet": "no verdict yet",
        "too_few_trials": "too few trials",
    }[row["verdict"]]
    rest = f"the mix of models, tasks and days adds {points(row['mix_difference'])}"
    return f"Same model, {other} against {agent}: {figures} ({verdict}); {rest}."


def _why_not(connection: Connection, task_type: str) -> str:
    counts = queries.rows(
        connection,
        """
        select count(distinct agent) as agents, count(distinct model_id) as models
        from configuration_rankings
        where task_type = ? and agent <> '' and trials > 0
        """,
        (task_type,),
    )[0]
    if not counts["agents"]:
        return "Agents cannot be compared: no outcome names an agent."
    if counts["agents"] == 1:
        return "Agents cannot be compared: all outcomes with an agent name the same one."
    return "Agents cannot be compared: no two agents ran the same model, effort and variant at a task or on a day."


def _sum(group: queries.Answer, keys: Sequence[str], z: float) -> dict[str, Any]:
    """Return the sum of configurations with the same model and values of `keys`."""
    sums: dict[str, Any] = {name: sum(row[name] for row in group) for name in SUMS}
    costs = [row["total_cost"] for row in group if row["total_cost"] is not None]
    priced_cost = sum(row["priced_cost_usd"] for row in group)
    lower, upper = comparison.wilson(sums["successes"], sums["trials"], z)
    return {
        "task_type": group[0]["task_type"],
        "model_id": group[0]["model_id"],
        **{key: group[0][key] or None for key in keys},
        **sums,
        "success_rate": sums["successes"] / sums["trials"],
        "success_rate_lower": lower,
        "success_rate_upper": upper,
        "total_cost": sum(costs) if costs else None,
        "cost_per_success": priced_cost / sums["priced_successes"] if sums["priced_successes"] else None,
        "first_outcome_date": min(row["first_outcome_date"] for row in group),
        "last_outcome_date": max(row["last_outcome_date"] for row in group),
    }


def _place(row: dict[str, Any], keys: Sequence[str]) -> tuple[Any, ...]:
    cost = row["cost_per_success"]
    names = (row["model_id"], *(row[key] or "" for key in keys))
    return (-row["success_rate_lower"], -row["trials"], cost is None, cost or 0, *names)
