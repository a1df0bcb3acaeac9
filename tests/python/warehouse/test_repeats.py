"""model_repeats against plain Python, over real outcomes with five tries and more of each task."""

import gzip
import itertools
import json
import math
import statistics
from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from scipy import stats

from .conftest import Warehouse, empty_log, outcome

Verdicts = list[bool]


@pytest.fixture(scope="module")
def tasks(real_data: Path) -> dict[tuple[str, str], list[Verdicts]]:
    """The verdicts of each task, by model and agent. The outcomes have no effort, variant and error type."""
    with gzip.open(real_data / "terminal-bench-2.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    verdicts: dict[tuple[str, str], dict[str, Verdicts]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        verdicts[row["model_id"], row["agent"]][row["task_id"]].append(row["success"])
    return {key: list(tried.values()) for key, tried in verdicts.items()}


@pytest.fixture(scope="module")
def repeats(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> dict[tuple[str, str], dict[str, Any]]:
    warehouse = empty_log(tmp_path_factory.mktemp("repeats"))
    warehouse.loader("load", real_data / "terminal-bench-2.jsonl.gz")
    warehouse.build("+model_repeats")
    return {(row["model_id"], row["agent"]): row for row in warehouse.rows("select * from model_repeats")}


def share_of_sets(verdicts: Verdicts, k: int, holds: Any) -> Fraction:
    """Return the share of the sets of k tries for which `holds` (any or all) says yes."""
    sets = list(itertools.combinations(verdicts, k))
    return Fraction(sum(map(holds, sets)), len(sets))


def with_interval(name: str, values: list[Fraction]) -> dict[str, float]:
    mean, error = float(statistics.mean(values)), math.sqrt(statistics.variance(values) / len(values))
    half_width = stats.t.ppf(0.975, len(values) - 1) * error
    return {name: mean, f"{name}_lower": max(0.0, mean - half_width), f"{name}_upper": min(1.0, mean + half_width)}


def share_of_variance(tasks: list[Verdicts]) -> float:
    """Return the intraclass correlation of a one-way analysis of variance, at least 0."""
    every = [verdict for verdicts in tasks for verdict in verdicts]
    grand = Fraction(sum(every), len(every))
    means = [Fraction(sum(verdicts), len(verdicts)) for verdicts in tasks]
    pairs = list(zip(tasks, means, strict=True))
    between = sum(len(verdicts) * (mean - grand) ** 2 for verdicts, mean in pairs) / (len(tasks) - 1)
    inside = Fraction(sum((verdict - mean) ** 2 for verdicts, mean in pairs for verdict in verdicts))
    inside /= len(every) - len(tasks)
    size = (len(every) - Fraction(sum(len(verdicts) ** 2 for verdicts in tasks), len(every))) / (len(tasks) - 1)
    return float(max(Fraction(0), (between - inside) / (between + (size - 1) * inside)))


def test_every_configuration_equals_plain_python(
    repeats: dict[tuple[str, str], dict[str, Any]], tasks: dict[tuple[str, str], list[Verdicts]]
) -> None:
    assert len(tasks) > 70
    assert repeats.keys() == tasks.keys()
    for key, tried in tasks.items():
        repeated = [verdicts for verdicts in tried if len(verdicts) > 1]
        expected = {
            "tasks": len(tried),
            "repeated_tasks": len(repeated),
            "tasks_with_3_tries": sum(len(verdicts) >= 3 for verdicts in tried),
            "tasks_with_5_tries": sum(len(verdicts) >= 5 for verdicts in tried),
            "tries": sum(map(len, tried)),
            **with_interval("flip_rate", [Fraction(len(set(verdicts)) > 1) for verdicts in repeated]),
            "icc": share_of_variance(repeated),
        }
        for k in (1, 2, 3, 5):
            enough = [verdicts for verdicts in tried if len(verdicts) >= k]
            for name, holds in (("pass_at", any), ("pass_power", all)):
                expected |= with_interval(f"{name}_{k}", [share_of_sets(verdicts, k, holds) for verdicts in enough])
        assert {name: repeats[key][name] for name in expected} == pytest.approx(expected, rel=0, abs=1e-9), key
        names = {"task_type", "model_id", "agent", "effort", "variant", *expected}
        assert repeats[key].keys() == names


def test_only_tries_that_count_make_a_repeat(new_warehouse: Warehouse) -> None:
    new_warehouse.load([
        outcome(event_id="first", task_id="t1"),
        outcome(event_id="lost", task_id="t1", success=False, error_type="rate_limited"),
        outcome(event_id="other model", task_id="t1", model_id="baker"),
        outcome(event_id="other agent", task_id="t1", agent="a"),
        outcome(event_id="no task"),
        outcome(event_id="no task again"),
    ])  # fmt: skip
    new_warehouse.build("+model_repeats")
    assert new_warehouse.query("select * from model_repeats") == []

    new_warehouse.load([
        outcome(event_id="again", task_id="t1"),
        outcome(event_id="mended", task_id="t1"),
        outcome(event_id="void", task_id="t1"),
    ])  # fmt: skip
    new_warehouse.loader("correct", "mended", "--failure", "--reason", "it broke later")
    new_warehouse.loader("correct", "void", "--void", "--reason", "a copy")
    new_warehouse.build("+model_repeats")
    columns = "model_id, agent, tasks, tries, pass_at_2, pass_power_2, pass_at_5, flip_rate, flip_rate_lower, icc"
    # Two of three tries succeeded: 3 pairs have a success, and 1 has two.
    assert new_warehouse.query(f"select {columns} from model_repeats") == [
        ("able", "", 1, 3, 1.0, pytest.approx(1 / 3), None, 1.0, None, None)
    ]
