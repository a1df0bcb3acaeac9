"""Declared experiments against a direct count, and ad hoc comparisons against declared ones."""

import csv
import json
import random
from pathlib import Path

import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from .conftest import Warehouse, outcome

HEADER = "experiment_id,task_type,incumbent_model_id,challenger_model_id,started_at,ended_at,challenger_share\n"
COMPARISONS = "+ab_comparisons"  # these tests build it with what it is computed from, and nothing else
COUNTS = "incumbent_trials, incumbent_wins, challenger_trials, challenger_wins"


def declare(project: Path, *lines: str) -> None:
    (project / "workspace" / "seeds" / "ab_experiments.csv").write_text(HEADER + "".join(line + "\n" for line in lines))


def counts(warehouse: Warehouse) -> dict[str, tuple[int, ...]]:
    rows = warehouse.query(
        f"select experiment_id, {COUNTS} from ab_comparisons where experiment_id not like 'leader:%'"
    )
    return {name: tuple(rest) for name, *rest in rows}


@pytest.fixture
def warehouse(own_project: Path, new_warehouse: Warehouse) -> Warehouse:
    new_warehouse.project = own_project
    return new_warehouse


def test_outcomes_belong_by_their_experiment_else_by_time(warehouse: Warehouse) -> None:
    start, end = "2026-03-01T12:00:00.500Z", "2026-03-02T00:00:00+02:00"
    declare(warehouse.project, f"e1,code,able,baker,{start},{end},0.5", f"e2,,able,baker,{start},,")
    warehouse.load(
        [
            outcome(timestamp="2026-03-01T12:00:00.499Z"),  # before both
            outcome(timestamp="2026-03-01T12:00:00.500Z"),  # the very beginning: e1 and e2
            outcome(timestamp="2026-03-01T21:59:59.999Z", success=False),  # the last moment of e1
            outcome(timestamp="2026-03-01T22:00:00Z"),  # e2 alone
            outcome(timestamp="2026-03-01T13:00:00Z", model_id="baker", task_type="prose"),  # e2: of any task type
            outcome(timestamp="2026-03-01T13:00:00Z", model_id="charlie"),  # no arm
            outcome(timestamp="2025-01-01T00:00:00Z", model_id="baker", experiment_id="e1"),  # named: e1 at any time
            outcome(timestamp="2026-03-01T13:00:00Z", model_id="baker", experiment_id="e9"),  # another one's
            outcome(timestamp="2026-03-01T13:00:00Z", model_id="baker", success=False, error_type="rate_limited"),
        ]
    )
    warehouse.build(COMPARISONS)
    assert counts(warehouse) == {"e1": (2, 1, 1, 1), "e2": (3, 2, 1, 1)}


def test_later_rows_count_once_and_late_ones_too(warehouse: Warehouse) -> None:
    declare(warehouse.project, "e1,code,able,baker,2026-03-01,,")
    warehouse.build(COMPARISONS)
    assert counts(warehouse) == {"e1": (0, 0, 0, 0)}
    for number in range(2):
        warehouse.load(
            [
                outcome(event_id=f"a{number}"),
                outcome(event_id=f"b{number}", model_id="baker", timestamp="2026-03-01T00:00:00Z"),
            ]
        )
        warehouse.build(COMPARISONS)
        assert counts(warehouse) == {"e1": (number + 1, number + 1, number + 1, number + 1)}
    warehouse.loader("build", "--quiet", "--full-refresh", "--select", COMPARISONS)
    assert counts(warehouse) == {"e1": (2, 2, 2, 2)}


def test_a_changed_line_rebuilds_that_experiment_alone(warehouse: Warehouse) -> None:
    declare(warehouse.project, "e1,code,able,baker,2026-03-01,,", "e2,code,able,baker,2026-03-01,,")
    warehouse.load(
        [
            outcome(event_id="1"),
            outcome(event_id="2", model_id="baker"),
            outcome(event_id="3", timestamp="2026-02-01T00:00:00Z"),
        ]
    )
    warehouse.build(COMPARISONS)
    rows = "select rowid, outcome_id from int_experiment_outcomes where experiment_id = ? and is_checkpoint = 0"
    untouched = warehouse.query(rows, "e2")
    declare(warehouse.project, "e1,code,able,baker,2026-01-01,,", "e2,code,able,baker,2026-03-01,,")
    warehouse.build(COMPARISONS)
    assert counts(warehouse) == {"e1": (2, 2, 1, 1), "e2": (1, 1, 1, 1)}
    assert warehouse.query(rows, "e2") == untouched
    declare(warehouse.project, "e2,code,able,baker,2026-03-01,,")
    warehouse.build(COMPARISONS)
    assert counts(warehouse) == {"e2": (1, 1, 1, 1)}
    assert warehouse.query(rows, "e1") == []


def test_a_build_reads_only_the_newer_rows_of_the_log(warehouse: Warehouse) -> None:
    declare(warehouse.project, "e1,code,able,baker,2026-03-01,,", "e2,,able,baker,2026-03-01,,")
    warehouse.load([outcome(), outcome(model_id="baker")])
    for _ in range(2):
        warehouse.build(COMPARISONS, "+int_outcomes_daily")
    compiled = warehouse.database.with_name("outcomes.db.build") / "target" / "compiled"
    for name in ("int_experiment_outcomes", "int_outcomes_totals", "int_outcomes_daily"):
        query = next(compiled.rglob(f"{name}.sql")).read_text()
        plan = [row[3] for row in warehouse.query(f"explain query plan {query}")]
        on_the_log = [step for step in plan if "model_outcomes" in step]
        # The one without a range is max(), which SQLite answers from the last row.
        allowed = {"SEARCH model_outcomes USING INTEGER PRIMARY KEY (rowid>?)", "SEARCH model_outcomes"}
        assert on_the_log
        assert set(on_the_log) <= allowed, (name, plan)


def test_a_new_alias_brings_its_history(warehouse: Warehouse) -> None:
    declare(warehouse.project, "e1,code,able,baker,2026-03-01,,")
    warehouse.load([outcome(model_id="able-2026"), outcome(model_id="baker")])
    warehouse.build(COMPARISONS)
    assert counts(warehouse) == {"e1": (0, 0, 1, 1)}
    (warehouse.project / "workspace" / "seeds" / "model_aliases.csv").write_text("alias,model_id\nable-2026,able\n")
    warehouse.build(COMPARISONS)
    assert counts(warehouse) == {"e1": (1, 1, 1, 1)}


def test_an_ad_hoc_comparison_says_what_a_declared_one_says(warehouse: Warehouse) -> None:
    declare(warehouse.project, "e1,code,able,baker,2026-03-02,2026-03-05,")
    draw = random.Random(7)
    outcomes = [
        outcome(
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
    warehouse.load(outcomes)
    warehouse.build(COMPARISONS)
    arguments = ["able", "baker", "--task-type", "code", "--since", "2026-03-02", "--until", "2026-03-05", "--json"]
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
    names = [name for name in ad_hoc if name not in {"task_type", "started_at", "ended_at", *lost}]
    assert len(names) == len(ad_hoc) - 7
    declared = warehouse.query(f"select {', '.join(names)} from ab_comparisons where experiment_id = 'e1'")[0]
    for name, value in zip(names, declared, strict=True):
        assert ad_hoc[name] == (value if isinstance(value, str) else pytest.approx(value, rel=1e-9)), name
    lower, upper = confint_proportions_2indep(
        ad_hoc["challenger_wins"], ad_hoc["challenger_trials"], ad_hoc["incumbent_wins"], ad_hoc["incumbent_trials"],
        method="newcomb", compare="diff",
    )  # fmt: skip
    assert (ad_hoc["newcombe_lower"], ad_hoc["newcombe_upper"]) == pytest.approx((lower, upper), abs=1e-9)


def test_the_seed_file_has_the_columns_that_the_tests_declare() -> None:
    from .conftest import PROJECT

    with (PROJECT / "workspace" / "seeds" / "ab_experiments.csv").open(newline="") as file:
        assert ",".join(next(csv.reader(file))) + "\n" == HEADER
