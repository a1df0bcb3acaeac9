"""model_rank_changes against the same rule in Python, over days counted from the very outcomes."""

from datetime import datetime, timedelta, timezone
from typing import Any

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from .conftest import PROJECT, Warehouse, outcome

TODAY = datetime.now(timezone.utc).replace(hour=0, minute=30, second=0, microsecond=0)
DAYS = 60
RATES = {"code": [0.9, 0.85, 0.8, 0.4], "prose": [0.5, 0.5, 0.97], "alone": [0.7]}


def make_outcomes() -> list[dict[str, Any]]:
    """Three task types with models that come later, pause and change; infrastructure failures; today."""
    random = np.random.default_rng(20260131)
    outcomes = []
    for task_type, rates in RATES.items():
        for number, rate in enumerate(rates):
            for day in range(5 * number, DAYS + 1):
                if random.random() < 0.3 or (task_type == "prose" and day % 7 == 0):
                    continue
                for _ in range(random.integers(0, 9)):
                    success = bool(random.random() < (rate if day < 40 else 0.75))
                    is_down = bool(not success and random.random() < 0.2)
                    outcomes.append(outcome(
                        task_type=task_type, model_id=f"model-{number}", success=success, cost_usd=0.25,
                        timestamp=(TODAY - timedelta(days=DAYS - day)).isoformat(),
                        **({"error_type": "rate_limited"} if is_down else {}),
                    ))  # fmt: skip
    random.shuffle(outcomes)
    return outcomes


def leader(counts: dict[str, tuple[int, int, float]]) -> str | None:
    """Return the model of rank 1 from (successes, trials, cost) by model, or None without an eligible one."""
    eligible = {model: each for model, each in counts.items() if each[1] >= 3}

    def place(model: str) -> tuple[Any, ...]:
        k, n, cost = eligible[model]
        return -proportion_confint(k, n, method="wilson")[0], -n, k == 0, cost / k if k else 0, model

    return min(eligible, key=place, default=None)


def expected(outcomes: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[str, str | None]]:
    """Return (leader, leader before) by task type and day of a change."""
    changes = {}
    for task_type in RATES:
        rows = [row for row in outcomes if row["task_type"] == task_type]
        before: str | None = None
        for day in sorted({row["timestamp"][:10] for row in rows} - {TODAY.isoformat()[:10]}):
            counts: dict[str, tuple[int, int, float]] = {}
            for row in rows:
                if row["timestamp"][:10] <= day and "error_type" not in row:
                    k, n, cost = counts.get(row["model_id"], (0, 0, 0.0))
                    counts[row["model_id"]] = (k + row["success"], n + 1, cost + 0.25)
            if (now := leader(counts)) is not None and now != before:
                changes[task_type, day] = (now, before)
                before = now
    return changes


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], Warehouse]:
    folder = tmp_path_factory.mktemp("changes")
    warehouse = Warehouse(project=PROJECT, database=folder / "outcomes.db")
    outcomes = make_outcomes()
    warehouse.load(outcomes)
    warehouse.loader("build", "--quiet", "--select", "+model_rank_changes")
    return outcomes, warehouse


def test_the_days_and_leaders_are_those_of_the_rule(changed) -> None:
    outcomes, warehouse = changed
    wanted = expected(outcomes)
    rows = warehouse.query(
        "select task_type, outcome_date, leader_model_id, previous_leader_model_id from model_rank_changes"
    )
    assert {row[:2]: row[2:] for row in rows} == wanted
    assert len({leader for leader, _ in wanted.values()}) > 1


def test_a_full_refresh_says_the_same(changed) -> None:
    _, warehouse = changed
    before = warehouse.query("select * from model_rank_changes order by 1, 2")
    warehouse.loader("build", "--quiet", "--full-refresh", "--select", "+model_rank_changes")
    assert warehouse.query("select * from model_rank_changes order by 1, 2") == before
