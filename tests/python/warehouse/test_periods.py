"""`rank` and `stats` of a period: the figures of its outcomes alone, counted another way."""

import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from model_outcomes import InvalidOutcome, ModelOutcomes

from .conftest import Warehouse, empty_log, outcome

NOON = "2026-03-10T12:00:00.000Z"
CELLS = {"able": (30, 40), "baker": (35, 40), "cedar": (4, 4)}


def drawn() -> list[dict[str, Any]]:
    """Return outcomes of three models, before and from noon of March 10; able was better before it."""
    rows = []
    for model, (successes, trials) in CELLS.items():
        for number in range(trials):
            rows.append(
                outcome(model_id=model, success=number < successes, timestamp=f"2026-03-{10 + number % 3}T12:00:00Z",
                        cost_usd=0.01 * (number % 4 + 1), tokens_used=100 + number, agent=("rig", "bench")[number % 2])
            )  # fmt: skip
    rows += [outcome(model_id="able", timestamp="2026-03-10T11:59:59.999Z", cost_usd=9, agent="rig")] * 300
    rows += [outcome(model_id="former", timestamp="2026-01-01T00:00:00Z")] * 50
    rows += [outcome(model_id="able-2026", success=False, error_type="rate_limited", timestamp=NOON)] * 7
    rows += [outcome(model_id="able-2026", success=False, error_type="odd", timestamp=NOON)]
    rows += [outcome(task_type="prose", model_id="able", timestamp="2026-03-14T00:00:00Z")]
    return [{**row, "event_id": str(number)} for number, row in enumerate(rows)]


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Half of the outcomes are in the rollups, and half came later. One verdict was corrected."""
    warehouse = empty_log(tmp_path_factory.mktemp("periods"))
    rows = drawn()
    balances = {"code": {"baker": {"successes": 500, "failures": 500, "totalCost": 3,
                                   "lastUsed": "2026-03-11T00:00:00Z"},
                         "cedar": {"successes": 1, "failures": 9}}}  # fmt: skip
    (legacy := warehouse.database.parent / "model-performance.json").write_text(json.dumps(balances))
    warehouse.loader("import-legacy", legacy)
    warehouse.load(rows[::2])
    warehouse.build(
        "+model_stats",
        "+model_rankings",
        "+int_outcomes_corrected",
        "+int_outcomes_daily_attributed",
        "+build_settings",
    )
    warehouse.load(rows[1::2])
    warehouse.write("insert into model_aliases (alias, model_id) values ('able-2026', 'able')")
    # The first outcome of able in the period becomes a failure.
    warehouse.write("insert into outcome_corrections (event_id, verdict) values ('0', 'failure')")
    return warehouse


def answered(warehouse: Warehouse, *arguments: str) -> dict[str, dict[str, Any]]:
    return {row["model_id"]: row for row in json.loads(warehouse.loader(*arguments, "--json").stdout)}


def expected_costs(model: str) -> tuple[float, float, float]:
    """Return the cost per success with its interval: the delta method with Student's t, in NumPy."""
    successes, trials = CELLS[model]
    costs = np.array([0.01 * (number % 4 + 1) for number in range(trials)])
    won = np.arange(trials) < successes
    if model == "able":
        won[0] = False
    ratio = costs.sum() / won.sum()
    error = np.sqrt(trials * ((costs - ratio * won) ** 2).sum() / (trials - 1)) / won.sum()
    width = stats.t.isf(0.025, won.sum() - 1) * error / ratio
    return ratio, ratio * np.exp(-width), ratio * np.exp(width)


@pytest.mark.parametrize("command", [("rank", "code"), ("stats", "code"), ("stats",)])
def test_only_the_outcomes_of_the_period_count(warehouse: Warehouse, command: tuple[str, ...]) -> None:
    found = json.loads(warehouse.loader(*command, "--since", NOON, "--json").stdout)
    rows = {row["model_id"]: row for row in found if row["task_type"] == "code"}
    # able: 40 of the period, one of them corrected, and one more failure of an unknown kind.
    counts = {"able": (29, 41), "baker": (35, 40), "cedar": (4, 4)}
    assert {model: (row["successes"], row["trials"]) for model, row in rows.items()} == counts
    for model, (successes, trials) in counts.items():
        bounds = proportion_confint(successes, trials, method="wilson")
        assert (rows[model]["success_rate_lower"], rows[model]["success_rate_upper"]) == pytest.approx(
            bounds, abs=1e-12
        )
    for model in ("able", "baker"):
        found = tuple(rows[model][f"cost_per_success{end}"] for end in ("", "_lower", "_upper"))
        assert found == pytest.approx(expected_costs(model), rel=1e-9)
    able = rows["able"]
    assert (able["infrastructure_failures"], able["unknown_failures"]) == (7, 1)
    assert able["total_cost"] == pytest.approx(sum(0.01 * (number % 4 + 1) for number in range(40)))
    assert able["total_tokens"] == sum(range(100, 140))
    assert (able["first_used"], able["last_used"]) == ("2026-03-10 12:00:00.000", "2026-03-12 12:00:00.000")
    assert all(row["legacy_successes"] == 0 for row in rows.values())
    assert {row["since"] for row in rows.values()} == {"2026-03-10 12:00:00.000"}


def test_the_ranks_are_those_of_the_period(warehouse: Warehouse) -> None:
    all_time, of_period = (
        [(row["rank"], model) for model, row in answered(warehouse, "rank", "code", *period).items()]
        for period in ((), ("--since", NOON))
    )
    # Wilson's lower ends: 35/40 .739, 29/41 .555, 4/4 .510; of all time able has 329/341.
    assert of_period == [(1, "baker"), (2, "able"), (3, "cedar")]
    assert all_time[:2] == [(1, "able"), (2, "former")]
    few = answered(warehouse, "rank", "code", "--since", NOON, "--min-samples", "5")
    assert list(few) == ["baker", "able"]


def test_a_period_from_the_beginning_has_the_figures_of_model_stats_without_balances(warehouse: Warehouse) -> None:
    everything = answered(warehouse, "stats", "code")
    period = answered(warehouse, "stats", "code", "--since", "1970-01-01")
    assert set(period) == set(everything)
    for model in ("able", "former"):  # no balance
        assert {**period[model], "since": None} == {
            name: pytest.approx(value, rel=1e-12) if isinstance(value, float) else value
            for name, value in {**everything[model], "since": None}.items()
        }
    assert everything["baker"]["trials"] == period["baker"]["trials"] + 1000


def test_days_end_with_the_last_day_of_the_log(warehouse: Warehouse) -> None:
    # The last day, of another task type, is March 14, so three days begin on March 12.
    three_days = answered(warehouse, "rank", "code", "--days", "3")
    assert {model: row["trials"] for model, row in three_days.items()} == {"able": 13, "baker": 13}
    assert {row["since"] for row in three_days.values()} == {"2026-03-12 00:00:00.000"}
    assert three_days.keys() == answered(warehouse, "rank", "code", "--since", "2026-03-12T01:00:00+01:00").keys()
    assert "none\n(since 2026-03-14 00:00:00 UTC" in warehouse.loader("rank", "code", "--days", "1").stdout


def test_groups_of_a_period(warehouse: Warehouse) -> None:
    rows = json.loads(warehouse.loader("stats", "code", "--by", "agent", "--since", NOON, "--json").stdout)
    assert {(row["model_id"], row["agent"]): row["trials"] for row in rows} == {
        ("able", "rig"): 20, ("able", "bench"): 20, ("able", None): 1, ("baker", "rig"): 20, ("baker", "bench"): 20,
        ("cedar", "rig"): 2, ("cedar", "bench"): 2,
    }  # fmt: skip


def test_a_table_says_its_period_and_what_it_leaves_out(warehouse: Warehouse) -> None:
    for command in (("rank", "code"), ("stats",), ("stats", "--by", "agent")):
        assert warehouse.loader(*command, "--since", NOON).stdout.splitlines()[-1] == (
            "(since 2026-03-10 12:00:00 UTC; left out: opening balances, and figures of a build, such as rank_best)"
        )
        assert "since" not in warehouse.loader(*command).stdout
    assert warehouse.loader("stats", "--since", NOON, "--csv").stdout.splitlines()[0].endswith(",since")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--since", NOON, "--days", "3"), "--since and --days are two ways to name one period: give one of them"),
        (("--since", "yesterday"), 'expected a time such as 2026-01-31T12:00:00Z, got "yesterday"'),
        (("--since", NOON, "--target", "duckdb"), "--since reads the log: leave out --target duckdb"),
        (("--days", "3", "--target", "duckdb"), "--days reads the log: leave out --target duckdb"),
    ],
)
@pytest.mark.parametrize("command", [("rank", "code"), ("stats",)])
def test_a_period_that_cannot_be_answered_is_one_line(
    warehouse: Warehouse, command: tuple[str, ...], arguments: tuple[str, ...], message: str
) -> None:
    done = warehouse.loader(*command, *arguments, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"Error: {message}\n")


def test_configurations_have_no_period(warehouse: Warehouse) -> None:
    done = warehouse.loader("rank", "code", "--by", "agent", "--days", "3", check=False)
    message = "--by ranks all outcomes, as of the last build: leave out --since and --days"
    assert (done.returncode, done.stderr) == (2, f"Error: {message}\n")


def test_python_asks_for_a_period(warehouse: Warehouse, tmp_path: Path) -> None:
    with ModelOutcomes(warehouse.database) as outcomes:
        for since in (NOON, datetime(2026, 3, 10, 12, tzinfo=timezone.utc)):
            ranked = outcomes.ranked_models("code", since=since)
            assert [(model.model_id, model.trials) for model in ranked] == [("baker", 40), ("able", 41), ("cedar", 4)]
        assert outcomes.ranked_models("code")[0].model_id == "able"
        with pytest.raises(InvalidOutcome, match="expected a time"):
            outcomes.ranked_models("code", since="yesterday")
    with ModelOutcomes(tmp_path / "absent.db") as outcomes:
        assert outcomes.ranked_models("code", since=NOON) == []
