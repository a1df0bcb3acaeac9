"""model_rank_changes against the same rule in NumPy, over days counted from the very outcomes."""

from datetime import datetime, timedelta, timezone
from itertools import pairwise
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


def half_width(k: list[int], n: list[int], alpha: float) -> float:
    """Half the anytime-valid interval of two arms, by arXiv 2103.06476."""
    c = -2 * np.log(0.05) + np.log(1 - 2 * np.log(0.05))
    r, total = 1000 / c, sum(n)
    p = [(k_ + 2) / (n_ + 4) for k_, n_ in zip(k, n, strict=True)]
    error = np.sqrt(sum(p_ * (1 - p_) / n_ for p_, n_ in zip(p, n, strict=True)))
    return float(error * np.sqrt((total + r) / total * np.log((total + r) / (r * alpha**2))))


def standing(counts: dict[str, tuple[int, int, float]]) -> tuple[str, frozenset[str]] | None:
    """The leader and the models tied with it, from (successes, trials, cost) by model."""
    eligible = {model: each for model, each in counts.items() if each[1] >= 3}
    if not eligible:
        return None

    def place(model: str) -> tuple[Any, ...]:
        k, n, cost = eligible[model]
        return -proportion_confint(k, n, method="wilson")[0], -n, k == 0, cost / k if k else 0, model

    leader = min(eligible, key=place)
    k_leader, n_leader, _ = eligible[leader]
    tied = {leader}
    for model, (k, n, _) in eligible.items():
        if model != leader:
            ahead = k_leader / n_leader - k / n - half_width([k, k_leader], [n, n_leader], 0.05 / (len(eligible) - 1))
            if not (ahead > 0 and min(n, n_leader) >= 30):
                tied.add(model)
    return leader, frozenset(tied)


def expected(outcomes: list[dict[str, Any]]) -> dict[tuple[str, str], tuple[str, str | None, frozenset[str]]]:
    """(leader, leader before, tied set) by task type and day of a change."""
    changes = {}
    for task_type in RATES:
        rows = [row for row in outcomes if row["task_type"] == task_type]
        days = sorted({row["timestamp"][:10] for row in rows} - {TODAY.isoformat()[:10]})
        standings = []
        for day in days:
            counts: dict[str, tuple[int, int, float]] = {}
            for row in rows:
                if row["timestamp"][:10] <= day and "error_type" not in row:
                    k, n, cost = counts.get(row["model_id"], (0, 0, 0.0))
                    counts[row["model_id"]] = (k + row["success"], n + 1, cost + 0.25)
            standings.append((day, standing(counts)))
        for (_, before), (day, now) in pairwise([("", None), *standings]):
            if now is not None and now != before:
                changes[task_type, day] = (now[0], before[0] if before else None, now[1])
    return changes


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], Warehouse]:
    folder = tmp_path_factory.mktemp("changes")
    warehouse = Warehouse(project=PROJECT, database=folder / "outcomes.db")
    outcomes = make_outcomes()
    warehouse.load(outcomes)
    warehouse.loader("build", "--quiet", "--select", "+model_rank_changes")
    return outcomes, warehouse


def test_the_days_and_sets_are_those_of_the_rule(changed) -> None:
    outcomes, warehouse = changed
    wanted = expected(outcomes)
    rows = warehouse.query("select * from model_rank_changes order by task_type, outcome_date")
    found = {(row[0], row[1]): (row[2], row[3], frozenset(row[10].split(", "))) for row in rows}
    assert found == wanted
    assert len({leader for leader, _, _ in wanted.values()}) > 1
    assert len({tied for _, _, tied in wanted.values()}) > 3


def test_who_joined_and_who_left_leads_from_one_set_to_the_next(changed) -> None:
    _, warehouse = changed
    tied: dict[str, set[str]] = {}
    sizes = set()
    for task_type, names, count, joined, left, is_new in warehouse.query(
        "select task_type, tied_model_ids, tied_models, joined_model_ids, left_model_ids, is_new_tied_set"
        " from model_rank_changes order by task_type, outcome_date"
    ):
        before = tied.get(task_type, set())
        came, went = ({*text.split(", ")} if text else set() for text in (joined, left))
        tied[task_type] = {*names.split(", ")}
        assert tied[task_type] == (before | came) - went
        assert came.isdisjoint(before)
        assert went <= before
        assert count == len(tied[task_type])
        assert is_new == bool(came or went)
        sizes.add(count)
    assert len(sizes) > 1


def test_a_full_refresh_says_the_same(changed) -> None:
    _, warehouse = changed
    before = warehouse.query("select * from model_rank_changes order by 1, 2")
    warehouse.loader("build", "--quiet", "--full-refresh", "--select", "+model_rank_changes")
    assert warehouse.query("select * from model_rank_changes order by 1, 2") == before
