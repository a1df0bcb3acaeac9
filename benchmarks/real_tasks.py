"""How many real tasks a decision takes, between two models that differ by about five points.

The folder OUTCOMES_REAL_DATA holds the outcomes; they are no part of the project.
"""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import twin
from benchmarks.targets import Target
from benchmarks.twin import Array, Strata

ORDERS = 100  # of the tasks, for each pair of models
MOST_TASKS = 5000
POINTS = (0.045, 0.055)
LARGEST_MEDIAN = 700
TASK_TYPES = ("swe-bench", "swt-bench", "gaia")


def folder() -> Path | None:
    """Return the folder of real outcomes, None if the environment names none."""
    name = os.environ.get("OUTCOMES_REAL_DATA")
    return Path(name) if name else None


def outcomes(path: Path) -> list[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def success_shares(outcomes: Iterable[Mapping[str, Any]]) -> tuple[Array, list[str], list[str]]:
    """Return each model's share of successes on each task (tasks x models, nan if not tried), the tasks and the models.

    An outcome without a verdict does not count."""
    judged = [outcome for outcome in outcomes if outcome["success"] is not None]
    tasks = sorted({outcome["task_id"] for outcome in judged})
    models = sorted({outcome["model_id"] for outcome in judged})
    rows, columns = ({name: number for number, name in enumerate(names)} for names in (tasks, models))
    successes, tries = np.zeros((2, len(tasks), len(models)))
    for outcome in judged:
        place = rows[outcome["task_id"]], columns[outcome["model_id"]]
        successes[place] += outcome["success"]
        tries[place] += 1
    with np.errstate(invalid="ignore"):
        return successes / tries, tasks, models


def print_decisions(seed: int) -> None:
    """Print the median number of tasks until a decision, old and new."""
    print(f"## Real tasks: median number of tasks until a decision, models {POINTS[0]:.1%} to {POINTS[1]:.1%} apart\n")
    data = folder()
    if data is None:
        print("Skipped: OUTCOMES_REAL_DATA does not name the folder of the real outcomes.\n")
        return
    print(
        f"Both models try each task once. Tasks come in random order, {ORDERS} orders a pair, drawn with replacement.\n"
    )
    print("| benchmark | pairs of models | pooled | same tasks | wrong way round: pooled | same tasks |")
    print("|---|---|---|---|---|---|")
    rows = outcomes(data / "openhands-index.jsonl.gz")
    target = Target(f"a median of at most {LARGEST_MEDIAN} tasks each with the same tasks", largest=LARGEST_MEDIAN)
    for number, task_type in enumerate(TASK_TYPES):
        shares, _, _ = success_shares(row for row in rows if row["task_type"] == task_type)
        pairs = near_pairs(shares)
        random = np.random.default_rng([seed, number])
        decisions = np.concatenate([decision_tasks(random, each) for each in pairs], axis=1)
        first, is_wrong = np.abs(decisions), decisions < 0
        medians, wrong = np.median(first, axis=1), is_wrong.mean(axis=1)
        cell = target.cell(task_type, medians[1], f"{medians[1]:,.0f}")
        print(f"| {task_type} | {len(pairs)} | {medians[0]:,.0f} | {cell} | {wrong[0]:.1%} | {wrong[1]:.1%} |")
    target.report()


def near_pairs(shares: Array) -> list[Array]:
    """Return the verdicts of pairs of models about five points apart (tasks x 2), the better one last."""
    pairs = []
    for a, b in zip(*np.triu_indices(shares.shape[1], 1), strict=True):
        both = shares[:, [a, b]]
        both = both[~np.isnan(both).any(axis=1)]
        both = both[:, np.argsort(both.mean(axis=0))]
        if POINTS[0] <= both[:, 1].mean() - both[:, 0].mean() <= POINTS[1]:
            pairs.append(both)
    return pairs


def decision_tasks(random: np.random.Generator, pair: Array) -> Array:
    """Return the task that decides, pooled and with the same tasks (2 x orders).

    It is negative if the worse model wins, inf without a decision."""
    drawn = pair[random.integers(len(pair), size=(ORDERS, MOST_TASKS))]
    tries = np.ones((ORDERS, MOST_TASKS))
    strata = Strata.of(drawn[..., 0], tries, drawn[..., 1], tries).accumulated()
    k_a, k_b, n = np.cumsum(drawn[..., 0], axis=-1), np.cumsum(drawn[..., 1], axis=-1), np.cumsum(tries, axis=-1)
    found = []
    for lower, upper in (twin.difference_bounds(k_a, n, k_b, n, twin.MODES["default"]), strata.bounds()):
        right, wrong = (twin.first_look(each & (n >= twin.MIN_TRIALS)) for each in (lower > 0, upper < 0))
        found.append(np.where(wrong < right, -wrong, right))
    return np.stack(found)
