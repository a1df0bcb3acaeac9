"""Differences inside strata in plain Python, straight from the trials: what the SQL of comparisons is held to.

A trial is a mapping with task_type, model_id, success, day, and perhaps task_id, agent, effort and variant.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

Row = dict[str, Any]
Stratum = tuple[int, int, int, int]  # incumbent's wins and trials, challenger's wins and trials

TUNING = 1000 / (-2 * math.log(0.05) + math.log(1 - 2 * math.log(0.05)))


def configuration(row: Row) -> tuple[Any, ...]:
    return row["task_type"], row.get("agent"), row.get("effort"), row.get("variant")


def task_configurations(trials: Iterable[Row], incumbent: str, challenger: str) -> set[Any]:
    """Return the configurations in which both models tried 30 common tasks, or a tenth of the tasks of the model with
    fewer tasks."""
    models: dict[Any, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in trials:
        if row.get("task_id"):
            models[configuration(row)][row["model_id"]].add(row["task_id"])
    chosen = set()
    for key, tasks in models.items():
        shared = len(tasks[incumbent] & tasks[challenger])
        if shared and shared >= min(30, 0.1 * min(len(tasks[incumbent]), len(tasks[challenger]))):
            chosen.add(key)
    return chosen


def strata(trials: Iterable[Row], incumbent: str, challenger: str, by_task: set[Any]) -> list[Stratum]:
    """Return the strata that both models have tried. In the configurations `by_task` they are tasks, else days."""
    counts: dict[Any, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in trials:
        key = configuration(row)
        unit = row.get("task_id") if key in by_task else row["day"]
        if unit is None or row["model_id"] not in (incumbent, challenger):
            continue
        place = 0 if row["model_id"] == incumbent else 2
        counts[key, unit][place] += row["success"]
        counts[key, unit][place + 1] += 1
    return [(a, b, c, d) for a, b, c, d in counts.values() if b and d]


def boundary(squared_error: float, trials: int, alpha: float = 0.05) -> float:
    """Return half the anytime-valid interval. Source: Waudby-Smith et al., arXiv 2103.06476."""
    return math.sqrt(squared_error * (trials + TUNING) / trials * math.log((trials + TUNING) / (TUNING * alpha**2)))


def figures(common: Sequence[Stratum], alpha: float = 0.05) -> Row:
    """Return the difference over at least one stratum, its squared error, interval and e-value.

    Sources: Mantel and Haenszel 1959; Liang and Zeger 1986.
    """
    weights = [n_a * n_b / (n_a + n_b) for _, n_a, _, n_b in common]
    differences = [k_b / n_b - k_a / n_a for k_a, n_a, k_b, n_b in common]
    total = math.fsum(weights)
    difference = math.fsum(w * x for w, x in zip(weights, differences, strict=True)) / total
    variance = 0.25
    for k_a, n_a, k_b, n_b in common:
        n, k = n_a + n_b, k_a + k_b
        variance += n_a * n_b * k * (n - k) / (n**2 * (n - 1))
    robust = 0.0
    if (count := len(common)) > 1:
        squares = (w**2 * (x - difference) ** 2 for w, x in zip(weights, differences, strict=True))
        robust = count / (count - 1) * math.fsum(squares)
    squared_error = max(variance, robust) / total**2
    trials = sum(n_a + n_b for _, n_a, _, n_b in common)
    half = boundary(squared_error, trials, alpha)
    return {
        "strata": count,
        "difference": difference,
        "squared_error": squared_error,
        "half_width": half,
        "difference_lower": max(-1.0, difference - half),
        "difference_upper": min(1.0, difference + half),
        "e_value": math.sqrt(TUNING / (trials + TUNING))
        * math.exp(difference**2 / squared_error / 2 * trials / (trials + TUNING)),
    }


def verdict(
    common: Sequence[Stratum], difference: float, half: float, arm_trials: tuple[int, int], pairs: float = 1
) -> str:
    if min(arm_trials) < 30:
        return "too_few_trials"
    if not common:
        return "no_common_ground"
    shared = sum(stratum[1] for stratum in common), sum(stratum[3] for stratum in common)
    if len(common) < 10 + 5 * math.log(pairs) or min(shared) < 30:
        return "too_few_trials"
    return "challenger_better" if difference > half else "incumbent_better" if difference < -half else "no_verdict_yet"
