"""`loader compare`: the difference inside strata against a count in plain Python, and against the mart."""

import json
import math
import random
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.answers import strata as answered

from . import strata
from .conftest import Warehouse, copy_of_project, outcome
from .test_experiments import declare

FIRST = date(2026, 3, 1)
SINCE, UNTIL = "2026-03-03", "2026-03-25"
DAYS = 28
TUNING = answered.tuning(0.05, 1000)

# Incumbent's wins and trials and challenger's wins and trials by stratum; number of strata, trials, difference, squared
# error's root, lower end, upper end, e-value. Worked out with NumPy from the sources that strata.py names.
TWELVE_DAYS = [
    (8, 10, 9, 10), (7, 10, 9, 10), (9, 12, 10, 11), (6, 9, 8, 9), (10, 12, 9, 10), (7, 10, 10, 11), (8, 11, 9, 10),
    (5, 9, 9, 10), (9, 12, 11, 12), (8, 10, 9, 10), (6, 8, 9, 9), (9, 13, 10, 11),
]  # fmt: skip
BAD_DAYS = [
    (9, 10, 9, 10), (2, 10, 9, 10), (9, 10, 3, 10), (8, 10, 9, 10), (9, 10, 9, 10), (1, 10, 9, 10), (9, 10, 8, 10),
    (8, 10, 2, 10), (9, 10, 9, 10), (3, 10, 9, 10), (9, 10, 9, 10), (9, 10, 9, 10),
]  # fmt: skip
TASKS = [(1, 1, 1, 1)] * 25 + [(1, 1, 0, 1)] * 4 + [(0, 1, 1, 1)] * 9 + [(0, 1, 0, 1)] * 2
GOLDEN = {
    "twelve days": (TWELVE_DAYS, 12, 249, 0.181299325007, 0.0504630068194, 0.0164934385335, 0.346105211481,
                    42.0962224378),
    "bad days": (BAD_DAYS, 12, 240, 0.075, 0.127994436432, -0.34491714741, 0.49491714741, 0.656660446472),
    "tasks": (TASKS, 40, 80, 0.125, 0.0935414346693, -0.257197602087, 0.507197602087, 1.10621326462),
    "a task tried often": ([*TASKS, (0, 10, 10, 10)], 41, 100, 0.3, 0.160206117237, -0.317603334573, 0.917603334573,
                           1.62199536376),
}  # fmt: skip


def figures(common: list[strata.Stratum]) -> dict[str, Any]:
    """Return what the library says of these strata."""
    difference, squared_error = answered.difference([answered.Stratum(*each) for each in common])
    trials = sum(each[1] + each[3] for each in common)
    half = answered.half_width(squared_error, trials, 0.05, TUNING)
    lower, upper = answered.bounds(difference, half)
    evidence = answered.e_value(difference, squared_error, trials, TUNING)
    return {
        "strata": len(common), "difference": difference, "squared_error": squared_error, "half_width": half,
        "difference_lower": lower, "difference_upper": upper, "e_value": evidence,
    }  # fmt: skip


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_figures_of_strata(name: str) -> None:
    common, number, trials, difference, error, lower, upper, evidence = GOLDEN[name]
    assert (len(common), sum(each[1] + each[3] for each in common)) == (number, trials)
    found = figures(common)
    assert [found[key] for key in ("difference", "difference_lower", "difference_upper", "e_value")] == pytest.approx(
        [difference, lower, upper, evidence], rel=1e-10
    )
    assert found["squared_error"] ** 0.5 == pytest.approx(error, rel=1e-10)


@pytest.mark.parametrize("seed", range(20))
def test_strata_drawn_at_random_have_the_figures_of_the_reference(seed: int) -> None:
    draw = random.Random(seed)
    common = []
    for _ in range(draw.choice([1, 2, 15, 60])):
        trials = draw.randint(1, 9), draw.randint(1, draw.choice([1, 30]))
        common.append((draw.randint(0, trials[0]), trials[0], draw.randint(0, trials[1]), trials[1]))
    assert figures(common) == pytest.approx(strata.figures(common), rel=1e-10)


# Squared errors and half widths of gbstats 0.8.0, SequentialTwoSidedTTest.
@pytest.mark.parametrize(
    ("pooled", "lower", "upper", "p_value"),
    [
        ((38, 50, 45, 50), -0.354116628575, 0.634116628575, 0.841351591258),
        ((300, 400, 170, 200), -0.022902776629, 0.222902776629, 0.154092288800),
        ((600, 1000, 680, 1000), 0.013177407381, 0.146822592619, 0.010018452855),
        ((4000, 5000, 4200, 5000), 0.016508273673, 0.063491726327, 1.15498483364e-05),
    ],
)
def test_gbstats_mode_is_gbstats(pooled: tuple[int, int, int, int], lower: float, upper: float, p_value: float) -> None:
    counts = answered.Stratum(*pooled)
    r, trials = answered.tuning(0.05, 5000), pooled[1] + pooled[3]
    difference, squared_error = answered.naive_difference(counts), answered.unpooled_squared_error(counts)
    half = answered.half_width(squared_error, trials, 0.05, r)
    assert answered.bounds(difference, half) == pytest.approx((lower, upper), abs=1e-11)
    evidence = answered.e_value(difference, squared_error, trials, r)
    assert evidence is not None
    assert 1 / evidence == pytest.approx(p_value, rel=1e-9)
    assert answered.unpooled_squared_error(answered.Stratum(10, 10, 5, 10)) is None
    assert answered.unpooled_squared_error(answered.Stratum(0, 0, 5, 10)) is None


def drawn() -> list[dict[str, Any]]:
    """Return outcomes of a log in which both models had other agents, tasks, days and outages."""
    draw = random.Random(11)
    rows = []
    for number in range(3000):
        agent = draw.choice(["rig", "bench", None, "only able"])
        model = "able" if agent == "only able" else draw.choice(["able", "able-2026", "baker"])
        day = FIRST + timedelta(days=draw.randrange(DAYS))
        # Many common tasks, a few tasks that recur, and tasks of which hardly any recurs: these are compared by day.
        task = {"bench": draw.randrange(60), None: draw.randrange(12)}.get(agent, draw.choice([None, number, 0]))
        hard = 0.3 if day.weekday() > 4 else 0
        success = draw.random() < (0.85 if model == "baker" else 0.6) - hard
        rows.append(
            outcome(
                model_id=model, success=success, agent=agent, effort=draw.choice(["high", None]),
                task_id=None if task is None else f"task {task}",
                timestamp=f"{day}T{draw.randrange(24):02}:30:00Z", event_id=str(number),
                error_type=None if success else draw.choice([None, "rate_limited", "tests_failed"]),
            )
        )  # fmt: skip
    # Each day has one of the two.
    for day_number in range(20):
        rows += [
            outcome(task_type="apart", model_id=("able", "baker")[day_number % 2], success=attempt < 4,
                    timestamp=f"{FIRST + timedelta(days=day_number)}T12:00:00Z", agent="rig",
                    event_id=f"apart {day_number} {attempt}")
            for attempt in range(5)
        ]  # fmt: skip
    rows += [
        outcome(task_type="agents", model_id=model, success=attempt < 30, agent=agent, event_id=f"{model} {attempt}",
                timestamp=f"{FIRST + timedelta(days=attempt % 20)}T12:00:00Z")
        for model, agent in (("able", "rig"), ("baker", "bench"))
        for attempt in range(40)
    ]  # fmt: skip
    return rows


def trials_of(rows: list[dict[str, Any]], corrected: dict[str, str]) -> list[dict[str, Any]]:
    trials = []
    for row in rows:
        verdict = corrected.get(row["event_id"], "success" if row["success"] else "failure")
        is_lost = verdict == "failure" and row.get("error_type") == "rate_limited"
        if verdict != "void" and not is_lost and SINCE <= row["timestamp"] < UNTIL:
            model = "able" if row["model_id"] == "able-2026" else row["model_id"]
            trials.append({**row, "model_id": model, "success": verdict == "success", "day": row["timestamp"][:10]})
    return trials


@pytest.fixture(scope="module")
def corrections() -> dict[str, str]:
    draw = random.Random(5)
    return {str(draw.randrange(3000)): draw.choice(["success", "failure", "void"]) for _ in range(150)}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory, corrections: dict[str, str]) -> Warehouse:
    folder = tmp_path_factory.mktemp("comparing")
    warehouse = Warehouse(project=copy_of_project(folder / "project"), database=folder / "outcomes.db")
    (warehouse.project / "workspace" / "seeds" / "model_aliases.csv").write_text("alias,model_id\nable-2026,able\n")
    declare(
        warehouse.project,
        *(f"{task_type},{task_type},able,baker,{SINCE},{UNTIL}," for task_type in ("code", "apart", "agents")),
    )
    warehouse.loader("init")
    warehouse.load(drawn())
    for event_id, verdict in corrections.items():
        warehouse.write("insert into outcome_corrections (event_id, verdict) values (?, ?)", event_id, verdict)
    warehouse.build("+ab_comparisons", "+int_outcomes_corrected", "+model_stats", "+build_settings")
    return warehouse


def compared(warehouse: Warehouse, task_type: str, *arguments: str) -> dict[str, Any]:
    arguments = ("--task-type", task_type, "--since", SINCE, "--until", UNTIL, *arguments)
    answer: dict[str, Any] = json.loads(warehouse.loader("compare", "able", "baker", *arguments, "--json").stdout)
    return answer


def test_a_comparison_is_made_inside_the_strata_of_the_log(warehouse: Warehouse, corrections: dict[str, str]) -> None:
    trials = [row for row in trials_of(drawn(), corrections) if row["task_type"] == "code"]
    by_task = strata.task_configurations(trials, "able", "baker")
    assert {key[1] for key in by_task} == {"bench", None}
    common = strata.strata(trials, "able", "baker", by_task)
    expected = strata.figures(common)
    answer = compared(warehouse, "code")
    assert answer["verdict"] == "challenger_better"
    arms = tuple(sum(row["model_id"] == model for row in trials) for model in ("able", "baker"))
    assert (answer["incumbent_trials"], answer["challenger_trials"]) == arms
    assert answer["verdict"] == strata.verdict(common, expected["difference"], expected["half_width"], arms)
    for name in ("strata", "difference", "difference_lower", "difference_upper", "e_value"):
        assert answer[name] == pytest.approx(expected[name], rel=1e-9), name
    shared = sum(each[1] for each in common), sum(each[3] for each in common)
    assert (answer["shared_incumbent_trials"], answer["shared_challenger_trials"]) == shared
    rates = [
        sum(row["success"] for row in trials if row["model_id"] == model) / number
        for model, number in zip(("able", "baker"), arms, strict=True)
    ]
    assert answer["naive_difference"] == pytest.approx(rates[1] - rates[0], rel=1e-9)
    assert answer["anytime_p_value"] == pytest.approx(1 / expected["e_value"], rel=1e-9)


@pytest.mark.parametrize("task_type", ["code", "apart", "agents"])
def test_a_comparison_says_what_the_declared_experiment_says(warehouse: Warehouse, task_type: str) -> None:
    answer = compared(warehouse, task_type)
    row = warehouse.rows("select * from ab_comparisons where experiment_id = ?", task_type)[0]
    own = {"started_at", "ended_at", "reason", "sequential_mode"}
    names = [name for name in answer if name not in own and not name.endswith(("_failures", "_lost_share"))]
    assert len(names) == len(answer) - len(own) - 4
    for name in names:
        value = answer[name]
        assert value == (pytest.approx(row[name], rel=1e-9) if isinstance(value, float) else row[name]), name
    assert (answer["reason"] or "").startswith(row["reason"] or "")


def test_models_without_common_ground_have_no_verdict_and_a_reason(warehouse: Warehouse) -> None:
    # By hand: 22 days, eleven for each arm but one, with 4 of 5; and 30 of 40 within the period.
    for task_type, reason in (
        ("apart", "the two never ran on the same day, nor at enough of the same tasks, under one configuration: "
                  "give both some of each day's tasks"),
        ("agents", "the two never ran under the same agent, effort and variant: run both side by side under one of "
                   "them"),
    ):  # fmt: skip
        answer = compared(warehouse, task_type)
        assert (answer["verdict"], answer["strata"], answer["reason"]) == ("no_common_ground", 0, reason)
        for name in ("difference", "difference_lower", "difference_upper", "e_value", "anytime_p_value"):
            assert answer[name] is None
        assert answer["newcombe_lower"] < answer["naive_difference"] < answer["newcombe_upper"]
        table = warehouse.loader("compare", "able", "baker", "--task-type", task_type, "--since", SINCE).stdout
        assert f"no difference: {reason}\n(all trials, valid for one look only: " in table


def test_the_table_shows_the_interval_of_every_look_first(warehouse: Warehouse) -> None:
    answer = compared(warehouse, "code")
    table = warehouse.loader("compare", "able", "baker", "--task-type", "code", "--since", SINCE, "--until", UNTIL)
    assert answer["e_value"] > 1e6
    difference, _, trials, verdict, footnote = table.stdout.splitlines()[4:]
    lower, value, upper = (f"{100 * answer[f'difference{end}']:+.1f}" for end in ("_lower", "", "_upper"))
    assert difference == f"difference: {value} points, 95 % interval {lower} to {upper}, valid at every look"
    assert trials == (
        f"compared: {answer['shared_incumbent_trials']:,} and {answer['shared_challenger_trials']:,} trials,"
        f" at {answer['strata']} tasks or days that both share"
    )
    assert verdict == f"verdict: the challenger is better (e-value {answer['e_value']:.3g}, and a verdict takes 20)"
    lower, upper = (f"{100 * answer[f'newcombe_{end}']:+.1f}" for end in ("lower", "upper"))
    naive = f"{100 * answer['naive_difference']:+.1f}"
    assert footnote == f"(all trials, valid for one look only: {naive} points, 95 % interval {lower} to {upper})"


def test_an_arm_without_trials_is_named(warehouse: Warehouse) -> None:
    arguments = ("compare", "able", "absent", "--task-type", "code")
    answer = json.loads(warehouse.loader(*arguments, "--json").stdout)
    assert (answer["verdict"], answer["reason"]) == ("too_few_trials", "the challenger has no trials in this period")
    assert "no difference: a model has no trials" in warehouse.loader(*arguments).stdout


def test_a_mode_of_the_build_is_that_of_the_comparison(warehouse: Warehouse, tmp_path: Path) -> None:
    copy = warehouse.copy_to(tmp_path)
    copy.write("update build_settings set value = 'gbstats' where name = 'sequential_mode'")
    copy.write("update build_settings set value = '5000', numeric_value = 5000 where name = 'sequential_tuning_trials'")
    answer = compared(copy, "apart")
    # 11 days of each arm, with 4 of 5, less the days before the period.
    assert (answer["difference"], answer["verdict"], answer["reason"]) == (0, "no_verdict_yet", None)
    arms = answer["incumbent_trials"], answer["challenger_trials"]
    assert arms == (answer["shared_incumbent_trials"], answer["shared_challenger_trials"]) == (45, 45)
    tuning = 5000 / 7.936154601737565
    error = sum(0.8 * 0.2 / number for number in arms)
    trials = sum(arms)
    half = (error * (trials + tuning) / trials * math.log((trials + tuning) / (tuning * 0.05**2))) ** 0.5
    assert answer["difference_upper"] == pytest.approx(half, rel=1e-9)


@pytest.mark.parametrize(
    ("naive", "inside", "half_width", "expected"),
    [(0.23, 0.08, 0.1, 1), (0.05, -0.05, 0.2, 1), (0.1, 0.05, 0.1, 0), (0.0004, -0.0004, 0.1, 0), (0.1, None, None, 0)],
)
def test_all_trials_mislead_outside_the_interval_or_with_another_sign(naive, inside, half_width, expected) -> None:
    """Signs of differences of less than a tenth of a point tell nothing."""
    assert answered.is_confounded(naive, inside, half_width) == expected
