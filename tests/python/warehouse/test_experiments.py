"""Declared experiments against a direct count, and ad hoc comparisons against declared ones."""

import csv
import json
import random
from pathlib import Path
from typing import Any

import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from . import strata
from .conftest import Warehouse, copy_of_project, empty_log, outcome

HEADER = "experiment_id,task_type,incumbent_model_id,challenger_model_id,started_at,ended_at,challenger_share\n"
COMPARISONS = "+ab_comparisons"
COUNTS = "incumbent_trials, incumbent_wins, challenger_trials, challenger_wins"


def declare(project: Path, *lines: str) -> None:
    (project / "workspace" / "seeds" / "ab_experiments.csv").write_text(HEADER + "".join(line + "\n" for line in lines))


def counts(warehouse: Warehouse, *experiments: str) -> list[tuple[int, ...]]:
    """Return the counts of these experiments that are there."""
    rows = {name: tuple(rest) for name, *rest in warehouse.query(f"select experiment_id, {COUNTS} from ab_comparisons")}
    return [rows[name] for name in experiments if name in rows]


START, END = "2026-03-01T12:00:00.500Z", "2026-03-02T00:00:00+02:00"
BOUNDARIES = [
    outcome(model_id="ash", timestamp="2026-03-01T12:00:00.499Z"),  # before both
    outcome(model_id="ash", timestamp="2026-03-01T12:00:00.500Z"),  # the very beginning: e1 and e2
    outcome(model_id="ash", timestamp="2026-03-01T21:59:59.999Z", success=False),  # the last moment of e1
    outcome(model_id="ash", timestamp="2026-03-01T22:00:00Z"),  # e2 alone
    outcome(timestamp="2026-03-01T13:00:00Z", model_id="birch", task_type="prose"),  # e2: of any task type
    outcome(timestamp="2026-03-01T13:00:00Z", model_id="cedar"),  # no arm
    outcome(timestamp="2025-01-01T00:00:00Z", model_id="birch", experiment_id="e1"),  # named: e1 at any time
    outcome(timestamp="2026-03-01T13:00:00Z", model_id="birch", experiment_id="e9"),  # another one's
    outcome(timestamp="2026-03-01T13:00:00Z", model_id="birch", success=False, error_type="rate_limited"),
]


def drawn() -> list[dict[str, Any]]:
    """Return 300 outcomes at the task type `drawn`, of three models."""
    draw = random.Random(7)
    outcomes = [
        outcome(
            task_type="drawn",
            model_id=draw.choice(["able", "aurora-large-latest", "baker"]),
            success=draw.random() < 0.7,
            cost_usd=draw.choice([None, 0.0, 0.5]),
            tokens_used=draw.choice([None, 1000]),
            timestamp=f"2026-03-0{draw.randint(1, 6)}T12:00:00Z",
            event_id=str(number),
        )
        for number in range(300)
    ]
    for each in outcomes:
        if not each["success"]:
            each["error_type"] = draw.choice([None, "rate_limited"])
    return outcomes


@pytest.fixture(scope="module")
def builds(tmp_path_factory: pytest.TempPathFactory) -> list[Warehouse]:
    """One log after each of five builds. Each experiment has models or a task type of its own.

    The first three builds add outcomes. Before the second, the line of `moved` changes, and before the third it goes.
    The fourth build has a new alias, and the fifth is a full refresh.
    """
    folder = tmp_path_factory.mktemp("experiments")
    (folder / "log").mkdir()
    warehouse = empty_log(folder / "log")
    warehouse.project = copy_of_project(folder / "project")
    fixed = [
        f"e1,code,ash,birch,{START},{END},0.5",
        f"e2,,ash,birch,{START},,",
        "late,code,larch,lime,2026-03-01,,",
        "kept,code,maple,oak,2026-03-01,,",
        "renamed,code,pine,rowan,2026-03-01,,",
        "e6,drawn,able,baker,2026-03-02,2026-03-05,",
    ]
    stages: list[Warehouse] = []

    def build(*arguments: str) -> None:
        warehouse.loader(
            "build",
            "--quiet",
            *arguments,
            "--select",
            f"{COMPARISONS} +int_outcomes_daily +model_stats +int_outcomes_corrected",
        )
        stages.append(warehouse.copy_to(folder / f"build {len(stages)}"))

    def add_late(number: int) -> None:
        warehouse.load(
            [
                outcome(event_id=f"a{number}", model_id="larch"),
                outcome(event_id=f"b{number}", model_id="lime", timestamp="2026-03-01T00:00:00Z"),
            ]
        )

    declare(warehouse.project, *fixed, "moved,code,maple,oak,2026-03-01,,")
    warehouse.load(
        [
            *BOUNDARIES, *drawn(),
            outcome(model_id="maple"), outcome(model_id="oak"),
            outcome(model_id="maple", timestamp="2026-02-01T00:00:00Z"),
            outcome(model_id="pine-2026"), outcome(model_id="rowan"),
        ]
    )  # fmt: skip
    build()
    declare(warehouse.project, *fixed, "moved,code,maple,oak,2026-01-01,,")
    add_late(0)
    build()
    declare(warehouse.project, *fixed)
    add_late(1)
    build()
    (warehouse.project / "workspace" / "seeds" / "model_aliases.csv").write_text("alias,model_id\npine-2026,pine\n")
    build()
    build("--full-refresh")
    return stages


def test_outcomes_belong_by_their_experiment_else_by_time(builds: list[Warehouse]) -> None:
    for warehouse in (builds[0], builds[-1]):
        assert counts(warehouse, "e1", "e2") == [(2, 1, 1, 1), (3, 2, 1, 1)]


def test_later_rows_count_once_and_late_ones_too(builds: list[Warehouse]) -> None:
    assert [counts(warehouse, "late") for warehouse in builds] == [[(rows,) * 4] for rows in (0, 1, 2, 2, 2)]


def test_a_changed_line_rebuilds_that_experiment_alone(builds: list[Warehouse]) -> None:
    assert [counts(warehouse, "moved", "kept") for warehouse in builds[:3]] == [
        [(1, 1, 1, 1), (1, 1, 1, 1)], [(2, 2, 1, 1), (1, 1, 1, 1)], [(1, 1, 1, 1)],
    ]  # fmt: skip
    rows = "select rowid, outcome_id from int_experiment_outcomes where experiment_id = ? and is_checkpoint = 0"
    assert builds[0].query(rows, "kept") == builds[1].query(rows, "kept") != []
    assert builds[1].query(rows, "moved") != []
    assert builds[2].query(rows, "moved") == []


def test_a_build_reads_only_the_newer_rows_of_the_log(builds: list[Warehouse]) -> None:
    warehouse = builds[2]
    compiled = warehouse.database.with_name("outcomes.db.build") / "target" / "compiled"
    for name in ("int_experiment_outcomes", "int_outcomes_totals", "int_outcomes_daily"):
        query = next(compiled.rglob(f"{name}.sql")).read_text()
        plan = [row[3] for row in warehouse.query(f"explain query plan {query}")]
        on_the_log = [step for step in plan if "model_outcomes" in step]
        # The one without a range is max(), which SQLite answers from the last row. Those of rowid=? are outcomes that
        # newer corrections name.
        allowed = {
            "SEARCH model_outcomes",
            *(f"SEARCH model_outcomes USING INTEGER PRIMARY KEY (rowid{sign}?)" for sign in ">="),
        }
        assert on_the_log
        assert set(on_the_log) <= allowed, (name, plan)


def test_a_new_alias_brings_its_history(builds: list[Warehouse]) -> None:
    assert counts(builds[2], "renamed") == [(0, 0, 1, 1)]
    assert counts(builds[3], "renamed") == [(1, 1, 1, 1)]


def test_an_ad_hoc_comparison_says_what_a_declared_one_says(builds: list[Warehouse]) -> None:
    warehouse, outcomes = builds[0], drawn()
    arguments = ["able", "baker", "--task-type", "drawn", "--since", "2026-03-02", "--until", "2026-03-05", "--json"]
    ad_hoc = json.loads(warehouse.loader("compare", *arguments).stdout)
    # What the mart does not say: the attempts that infrastructure lost, which are no trials of either arm.
    lost = {
        f"{arm}_{name}" for arm in ("incumbent", "challenger") for name in ("infrastructure_failures", "lost_share")
    }
    for arm, model_id in (("incumbent", "able"), ("challenger", "baker")):
        attempts = [each for each in outcomes
                    if each["model_id"] == model_id and "2026-03-02" <= each["timestamp"] < "2026-03-05"]  # fmt: skip
        failures = sum(each.get("error_type") == "rate_limited" for each in attempts)
        assert failures > 0
        assert ad_hoc[f"{arm}_infrastructure_failures"] == failures
        assert ad_hoc[f"{arm}_lost_share"] == pytest.approx(failures / len(attempts), rel=1e-9)
        assert ad_hoc[f"{arm}_trials"] == len(attempts) - failures
    own = {"task_type", "started_at", "ended_at", "reason", "sequential_mode"}
    names = [name for name in ad_hoc if name not in {*own, *lost}]
    assert len(names) == len(ad_hoc) - 9
    declared = warehouse.query(f"select {', '.join(names)} from ab_comparisons where experiment_id = 'e6'")[0]
    for name, value in zip(names, declared, strict=True):
        assert ad_hoc[name] == (value if isinstance(value, str) else pytest.approx(value, rel=1e-9)), name
    trials = [
        {**each, "day": each["timestamp"][:10]}
        for each in outcomes
        if "2026-03-02" <= each["timestamp"] < "2026-03-05" and each.get("error_type") != "rate_limited"
    ]
    expected = strata.figures(strata.strata(trials, "able", "baker", set()))
    assert {name: ad_hoc[name] for name in expected if name in ad_hoc} == pytest.approx(
        {name: value for name, value in expected.items() if name in ad_hoc}, rel=1e-9
    )
    assert (ad_hoc["strata"], ad_hoc["verdict"]) == (3, "too_few_trials")
    lower, upper = confint_proportions_2indep(
        ad_hoc["challenger_wins"], ad_hoc["challenger_trials"], ad_hoc["incumbent_wins"], ad_hoc["incumbent_trials"],
        method="newcomb", compare="diff",
    )  # fmt: skip
    assert (ad_hoc["newcombe_lower"], ad_hoc["newcombe_upper"]) == pytest.approx((lower, upper), abs=1e-9)


def test_the_seed_file_has_the_columns_that_the_tests_declare() -> None:
    from .conftest import PROJECT

    with (PROJECT / "workspace" / "seeds" / "ab_experiments.csv").open(newline="") as file:
        assert ",".join(next(csv.reader(file))) + "\n" == HEADER
