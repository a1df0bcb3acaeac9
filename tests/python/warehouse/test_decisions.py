"""The marts that decide, over a world of some months, against the same rules said in Python over the raw outcomes."""

import itertools
import math
import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest

from benchmarks import twin

from . import strata
from .conftest import Warehouse, outcome
from .test_experiments import declare

FIRST, DAYS = date(2026, 1, 1), 150
LAST_DAY_OF_E1 = 110
RATES = {
    ("code", "able"): lambda day: 0.80,
    ("code", "baker"): lambda day: 0.92,
    ("code", "charlie"): lambda day: 0.90 if day < 100 else 0.60,
    ("code", "delta"): lambda day: 0.45,
    ("prose", "able"): lambda day: 0.55,
    ("prose", "baker"): lambda day: 0.60,
    ("sums", "able"): lambda day: 1.0,
}

Row = dict[str, Any]


def day_text(day: int) -> str:
    return (FIRST + timedelta(days=day)).isoformat()


def world() -> Iterator[Row]:
    """Outcomes day by day; the days themselves have gaps, tasks are shared, and some failures are nobody's."""
    draw = random.Random(20260101)
    for day, (task_type, model_id) in itertools.product(range(DAYS), RATES):
        if task_type == "sums" and day % 10:
            continue
        for number in range(draw.choice([0, 2, 4, 6, 12])):
            success = draw.random() < RATES[task_type, model_id](day)
            is_void = not success and draw.random() < 0.1
            tokens, cost = draw.choice([None, 1000, 3000]), draw.choice([None, 0.0, 0.25, 1.5])
            task, is_named = draw.randint(1, 400), draw.choice([False, True])
            yield outcome(
                task_type=task_type,
                model_id=model_id,
                success=success,
                timestamp=f"{day_text(day)}T{number:02d}:30:00Z",
                tokens_used=tokens,
                cost_usd=cost,
                # Prose names no tasks, so it is compared by day.
                task_id=f"code-{task % 200}" if task_type == "code" and (is_named or task % 5) else None,
                agent="harness" if task % 4 else None,
                error_type="rate_limited" if is_void else None,
                event_id=f"{day}-{task_type}-{model_id}-{number}",
            )


@pytest.fixture(scope="module")
def outcomes() -> list[Row]:
    return list(world())


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, outcomes: list[Row]) -> Warehouse:
    from .conftest import copy_of_project

    folder = tmp_path_factory.mktemp("decisions")
    warehouse = Warehouse(project=copy_of_project(folder / "project"), database=folder / "outcomes.db")
    declare(
        warehouse.project,
        f"e1,code,able,baker,{day_text(20)},{day_text(LAST_DAY_OF_E1 + 1)},0.5",
        "wide,,able,baker,2026-01-01,,",
        "shifted,,baker,charlie,2026-01-01,,0.5",
    )
    (warehouse.project / "workspace" / "seeds" / "incumbents.csv").write_text(
        "task_type,model_id\ncode,able\nprose,able\n"
    )
    # Loaded backwards: what is recorded late belongs to its day all the same.
    warehouse.load(reversed(outcomes))
    warehouse.loader("build", "--quiet")
    return warehouse


def trials_of(outcomes: list[Row], incumbent: str, challenger: str, task_type: str | None, days: range) -> list[Row]:
    return [
        {**row, "day": (date.fromisoformat(row["timestamp"][:10]) - FIRST).days}
        for row in outcomes
        if row["error_type"] is None
        and row["model_id"] in (incumbent, challenger)
        and task_type in (None, row["task_type"])
        and (date.fromisoformat(row["timestamp"][:10]) - FIRST).days in days
    ]


def look(trials: list[Row], incumbent: str, challenger: str, by_task: set[Any], alpha: float = 0.05) -> Row:
    """Return what the trials so far say."""
    arms = [[row["success"] for row in trials if row["model_id"] == model] for model in (incumbent, challenger)]
    wins, counts = [sum(arm) for arm in arms], [len(arm) for arm in arms]
    row: Row = {
        "incumbent_wins": wins[0],
        "incumbent_trials": counts[0],
        "challenger_wins": wins[1],
        "challenger_trials": counts[1],
        "strata": 0,
        **dict.fromkeys(("difference", "difference_lower", "difference_upper", "e_value", "naive_difference")),
    }
    if all(counts):
        row["naive_difference"] = wins[1] / counts[1] - wins[0] / counts[0]
    common = strata.strata(trials, incumbent, challenger, by_task)
    half = difference = math.nan
    if common:
        figures = strata.figures(common, alpha)
        half, difference = figures.pop("half_width"), figures["difference"]
        apart = abs(row["naive_difference"] - difference)
        row |= {
            "is_mix_shifted": int(apart > math.sqrt(figures.pop("squared_error"))),
            "is_confounded": int(apart > half or row["naive_difference"] * difference < -1e-6),
            **figures,
        }
    row["verdict"] = strata.verdict(common, difference, half, (counts[0], counts[1]), 0.05 / alpha)
    return row


def looks(trials: list[Row], incumbent: str, challenger: str, alpha: float = 0.05) -> dict[str, Row]:
    """By day with a trial; a verdict once reached is told as past on days whose own interval does not give it."""
    found, decided = {}, None
    by_task = strata.task_configurations(trials, incumbent, challenger)
    for day in sorted({row["day"] for row in trials}):
        now = look([row for row in trials if row["day"] <= day], incumbent, challenger, by_task, alpha)
        if decided is None and now["verdict"] in ("challenger_better", "incumbent_better"):
            decided = (now["verdict"], day_text(day))
        now["first_decided_at"] = decided and decided[1]
        if decided and now["verdict"] != decided[0]:
            now["verdict"] = f"was_{decided[0]}"
        found[day_text(day)] = now
    return found


def paired(trials: list[Row], incumbent: str, challenger: str) -> Row:
    first: dict[Any, dict[str, bool]] = defaultdict(dict)
    for row in sorted(trials, key=lambda row: row["timestamp"]):
        if row["task_id"]:
            first[strata.configuration(row), row["task_id"]].setdefault(row["model_id"], row["success"])
    both = [tries for tries in first.values() if len(tries) == 2]
    table = [sum(tries == {incumbent: i, challenger: c} for tries in both) for i, c in
             ((True, True), (True, False), (False, True), (False, False))]  # fmt: skip
    n, (_, b, c, _) = len(both), table
    mean = (c - b) / n
    half = strata.boundary(((b + c + 2) / (n + 2) - mean**2) / n, n)
    names = ("both_succeeded", "only_incumbent_succeeded", "only_challenger_succeeded", "neither_succeeded")
    return {
        **dict(zip(names, table, strict=True)),
        "mcnemar_statistic": (b - c) ** 2 / (b + c),
        "paired_difference": mean,
        "paired_difference_lower": mean - half,
        "paired_difference_upper": mean + half,
    }


EXPERIMENTS = {
    "e1": ("able", "baker", "code", range(20, LAST_DAY_OF_E1 + 1)),
    "wide": ("able", "baker", None, range(DAYS)),
    "shifted": ("baker", "charlie", None, range(DAYS)),
}


def assert_same(found: Row, wanted: Row) -> None:
    for name, value in wanted.items():
        assert found[name] == (pytest.approx(value, rel=1e-9) if isinstance(value, float) else value), name


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_day_of_an_experiment_says_what_the_outcomes_so_far_say(warehouse, outcomes, experiment) -> None:
    incumbent, challenger, task_type, days = EXPERIMENTS[experiment]
    wanted = looks(trials_of(outcomes, incumbent, challenger, task_type, days), incumbent, challenger)
    found = {
        row["outcome_date"]: row
        for row in warehouse.rows("select * from ab_comparison_days where experiment_id = ?", experiment)
    }
    assert list(found) == list(wanted)
    for day, row in wanted.items():
        assert_same(found[day], row)
    last = warehouse.rows("select * from ab_comparisons where experiment_id = ?", experiment)[0]
    assert_same(last, wanted[max(wanted)])


def test_the_world_has_verdicts_and_their_absence(warehouse) -> None:
    """Else the tests beside this one would hold little."""
    verdicts = dict(warehouse.query("select experiment_id, verdict from ab_comparisons"))
    assert verdicts["e1"] == "challenger_better"
    assert verdicts["leader:prose"] == "no_verdict_yet"
    assert warehouse.query("select max(is_mix_shifted) from ab_comparisons") == [(1,)]
    days = "select distinct verdict from ab_comparison_days where experiment_id = 'e1'"
    assert {"too_few_trials", "no_verdict_yet", "challenger_better"} <= {name for (name,) in warehouse.query(days)}


@pytest.mark.parametrize("experiment", ["e1", "wide"])
def test_tasks_that_both_have_tried_are_paired(warehouse, outcomes, experiment) -> None:
    incumbent, challenger, task_type, days = EXPERIMENTS[experiment]
    trials = trials_of(outcomes, incumbent, challenger, task_type, days)
    found = warehouse.rows("select * from ab_comparisons where experiment_id = ?", experiment)[0]
    wanted = paired(trials, incumbent, challenger)
    assert wanted["both_succeeded"] > 30
    assert_same(found, wanted)


def test_leaders_are_compared_at_an_alpha_shared_by_all_pairs(warehouse, outcomes) -> None:
    rows = warehouse.rows("select * from ab_comparisons where is_declared = 0 order by task_type")
    assert [row["task_type"] for row in rows] == ["code", "prose"]
    for row in rows:
        pairs = 6 if row["task_type"] == "code" else 1
        arms = row["incumbent_model_id"], row["challenger_model_id"]
        days = looks(trials_of(outcomes, *arms, row["task_type"], range(DAYS)), *arms, 0.05 / pairs)
        assert_same(row, days[max(days)])
        assert row["anytime_p_value"] == pytest.approx(min(1.0, 1 / row["e_value"]), rel=1e-9)
        assert row["deciding_e_value"] == pytest.approx(pairs / 0.05, rel=1e-12)


def test_an_incumbent_is_named_or_has_more_than_half_of_thirty_recent_trials(warehouse, outcomes) -> None:
    wanted = {"code": ("able", 1), "prose": ("able", 1)}
    for task_type in {task for task, _ in RATES} - set(wanted):
        last = max(row["timestamp"][:10] for row in outcomes if row["task_type"] == task_type)
        first = (date.fromisoformat(last) - timedelta(days=29)).isoformat()
        counts: dict[str, int] = defaultdict(int)
        for row in outcomes:
            if row["task_type"] == task_type and row["timestamp"][:10] >= first and row["error_type"] is None:
                counts[row["model_id"]] += 1
        for model, trials in counts.items():
            if trials >= 30 and 2 * trials > sum(counts.values()):
                wanted[task_type] = (model, 0)
    found = {task: tuple(rest) for task, *rest in warehouse.query("select * from int_incumbents")}
    assert found == wanted


def test_demotions_are_what_e_bh_selects_among_the_worse(warehouse, outcomes) -> None:
    incumbents = dict(warehouse.query("select task_type, model_id from int_incumbents"))
    wanted = set()
    for task_type, incumbent in incumbents.items():
        evidence = {}
        for model in {m for t, m in RATES if t == task_type} - {incumbent}:
            trials = trials_of(outcomes, incumbent, model, task_type, range(DAYS))
            by_task = strata.task_configurations(trials, incumbent, model)
            now = look(trials, incumbent, model, by_task)
            evidence[model] = now["e_value"] if now["difference"] < 0 else 0.0
        ordered = sorted(evidence, key=lambda model: -evidence[model])
        selected = [k for k, model in enumerate(ordered, 1) if evidence[model] * k / len(ordered) >= 20]
        wanted |= {(task_type, model) for model in ordered[: max(selected, default=0)]}
    found = warehouse.query("select task_type, model_id from demotion_candidates where is_worse_than_incumbent = 1")
    assert wanted
    assert set(found) == wanted


@pytest.mark.parametrize("cell", RATES)
def test_trends_have_every_day_with_windows_and_the_cusum(warehouse, outcomes, cell) -> None:
    rows = warehouse.rows(
        "select * from model_daily_trends where task_type = ? and model_id = ? order by outcome_date", *cell
    )
    own = [row for row in outcomes if (row["task_type"], row["model_id"]) == cell]
    first, last = (edge(row["timestamp"][:10] for row in own) for edge in (min, max))
    span = [(date.fromisoformat(first) + timedelta(days=n)).isoformat()
            for n in range((date.fromisoformat(last) - date.fromisoformat(first)).days + 1)]  # fmt: skip
    assert [row["outcome_date"] for row in rows] == span
    for days, prefix in ((1, ""), (7, "trailing_7d_"), (28, "trailing_28d_")):
        for at in range(0, len(span), 5):
            window = set(span[max(0, at - days + 1) : at + 1])
            inside = [row for row in own if row["timestamp"][:10] in window]
            trials = [row for row in inside if row["error_type"] is None]
            priced = [row for row in trials if row["cost_usd"] is not None]
            wins = sum(row["success"] for row in trials)
            won = sum(row["success"] for row in priced)
            known = [row["cost_usd"] for row in inside if row["cost_usd"] is not None]
            assert_same(
                rows[at],
                {
                    f"{prefix}trials": len(trials),
                    f"{prefix}successes": wins,
                    f"{prefix}success_rate": wins / len(trials) if trials else None,
                    f"{prefix}total_tokens": sum(row["tokens_used"] or 0 for row in inside),
                    f"{prefix}total_cost": math.fsum(known) if known or not inside else None,
                    f"{prefix}cost_per_success": math.fsum(row["cost_usd"] for row in priced) / won if won else None,
                },
            )
    k, n = (np.array([row[name] for row in rows], dtype=float) for name in ("successes", "trials"))
    cusum = twin.cusum(k, n, twin.rolling_baseline(k, n))
    assert [row["cusum"] for row in rows] == pytest.approx(cusum.tolist(), abs=1e-9)


def test_a_fall_is_seen_and_makes_a_candidate(warehouse) -> None:
    alarms = warehouse.query(
        "select model_id, min(outcome_date) from model_daily_trends"
        " where is_drift_alarm = 1 and task_type = 'code' and outcome_date >= ? group by model_id",
        day_text(100),
    )
    assert [model for model, _ in alarms] == ["charlie"]
    assert day_text(100) < alarms[0][1] < day_text(125)
    standing = warehouse.query(
        "select task_type, model_id from model_daily_trends as days where is_drift_alarm = 1 and outcome_date ="
        " (select max(outcome_date) from model_daily_trends"
        " where task_type = days.task_type and model_id = days.model_id)"
    )
    drifting = warehouse.query("select task_type, model_id, reason from demotion_candidates where is_drifting = 1")
    assert {row[:2] for row in drifting} == set(standing)
    assert all("drift: " in reason for *_, reason in drifting)
