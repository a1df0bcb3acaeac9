"""Same-task strength."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from benchmarks.twin import Array


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
