"""Models that nobody tries any more: still ranked, never proposed."""

import json
from datetime import date, timedelta
from pathlib import Path

import pytest

from model_outcomes import ModelOutcomes
from model_outcomes.job import findings
from model_outcomes.log import store
from model_outcomes.publish import report
from model_outcomes.publish.report import advice

from .conftest import Warehouse, empty_log, outcome

LAST = date(2026, 6, 30)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """`star`, the best, was last tried 90 days before the last day, `used` and `other` until then."""
    warehouse = empty_log(tmp_path_factory.mktemp("retired"))
    rows = []
    for model, ago, successes in (("star", 90, 95), ("used", 0, 80), ("other", 89, 78)):
        rows += [
            outcome(model_id=model, success=number < successes, event_id=f"{model} {number}",
                    timestamp=f"{LAST - timedelta(days=ago + number % 20)}T12:00:00Z")
            for number in range(100)
        ]  # fmt: skip
    warehouse.load(rows)
    balances = {"code": {"relic": {"successes": 990, "failures": 10, "lastUsed": "2025-01-01T00:00:00Z"}}}
    (legacy := warehouse.database.parent / "model-performance.json").write_text(json.dumps(balances))
    warehouse.loader("import-legacy", legacy)
    warehouse.build()
    return warehouse


def test_a_retired_model_keeps_its_rank_and_is_marked(built: Warehouse) -> None:
    rows = built.query("select model_id, rank, trials, is_retired, standing from model_rankings order by rank")
    assert rows == [
        ("relic", 1, 1000, 1, "retired"),
        ("star", 2, 100, 1, "retired"),
        ("used", 3, 100, 0, "may_be_best"),
        ("other", 4, 100, 0, "may_be_best"),
    ]
    # Of the models in use alone: a chance of 80 to 78 of 100 is near one half.
    chances = dict(built.query("select model_id, probability_best from model_rankings"))
    assert (chances["relic"], chances["star"]) == (None, None)
    assert 0.5 < chances["used"] < 0.75
    assert chances["used"] + chances["other"] == pytest.approx(1, abs=1e-3)
    lines = built.loader("rank", "code").stdout.splitlines()
    assert [line.split()[1:3] for line in lines[2:]] == [
        ["relic", "retired"], ["star", "retired"], ["used", "100"], ["other", "100"],
    ]  # fmt: skip
    ranked = json.loads(built.loader("rank", "code", "--json").stdout)
    assert [row["is_retired"] for row in ranked] == [1, 1, 0, 0]
    with ModelOutcomes(built.database) as outcomes:
        assert [model.is_retired for model in outcomes.ranked_models("code")] == [True, True, False, False]


def test_a_retired_model_is_proposed_nowhere(built: Warehouse) -> None:
    assert built.query("select model_id from int_leaders") == [("used",)]
    # `star` has all trials of its days, but these are no longer the last 30.
    assert built.query("select model_id, is_named from int_incumbents") == [("used", 0)]
    assert built.query("select model_id from ab_test_candidates") == [("other",)]
    ((action, model, alternative, reason),) = built.query(
        "select action, model_id, alternative_model_id, reason from recommendations"
    )
    assert (action, model, alternative) == ("try", "used", "other")
    assert reason.endswith("; models left out because they are retired: 2")
    with store.open_existing(built.database) as connection:
        contents = report.gather(connection)
        assert findings.QUERIES["leaders"] is not None
        assert connection.execute(findings.QUERIES["leaders"]).fetchall() == [("code", "used")]
    (leader,) = advice.leaders(contents)
    assert (leader.model_id, leader.is_sure) == ("used", False)
    assert leader.certainty.startswith("not sure: other (78")


def test_one_new_trial_brings_a_model_back(built: Warehouse, tmp_path: Path) -> None:
    warehouse = built.copy_to(tmp_path)
    warehouse.load([outcome(model_id="star", timestamp=f"{LAST}T13:00:00Z")])
    ranked = json.loads(warehouse.loader("rank", "code", "--json").stdout)
    assert [(row["model_id"], row["is_retired"]) for row in ranked[:2]] == [("relic", 1), ("star", 0)]
    warehouse.build("+recommendations")
    assert warehouse.query("select model_id from int_leaders") == [("star",)]
    assert warehouse.query("select model_id from model_rankings where is_retired = 1") == [("relic",)]


def test_the_number_of_days_is_a_setting(built: Warehouse, tmp_path: Path) -> None:
    warehouse = built.copy_to(tmp_path)
    warehouse.loader("build", "--quiet", "--vars", "retired_after_days: 91")
    assert warehouse.query("select model_id from model_rankings where is_retired = 1") == [("relic",)]
    assert warehouse.query("select numeric_value from build_settings where name = 'retired_after_days'") == [(91,)]


def test_a_build_that_knows_no_retired_models_still_ranks(built: Warehouse, tmp_path: Path) -> None:
    warehouse = built.copy_to(tmp_path)
    warehouse.write("drop table model_rankings")
    ranked = json.loads(warehouse.loader("rank", "code", "--json").stdout)
    assert [row["is_retired"] for row in ranked] == [None] * 4
    with ModelOutcomes(warehouse.database) as outcomes:
        assert {model.is_retired for model in outcomes.ranked_models("code")} == {None}
