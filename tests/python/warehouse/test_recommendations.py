"""One list of what to do, from the outcomes to the report: at most one row per task type, and no contradiction."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from typing import Any

import pytest

from model_outcomes import ModelOutcomes
from model_outcomes.log import store
from model_outcomes.publish import report
from model_outcomes.publish.report import advice, notes

from .conftest import Warehouse, copy_of_project, outcome

Row = dict[str, Any]

LAST = date(2026, 3, 31)


def trials(task_type: str, model_id: str, wins: int, count: int, days: range = range(40), **fields: Any) -> list[Row]:
    """So many trials over these days (0 is the last one), with the successes spread evenly."""
    return [
        outcome(
            task_type=task_type,
            model_id=model_id,
            success=(number + 1) * wins // count > number * wins // count,
            timestamp=f"{LAST - timedelta(days=days[number * len(days) // count])}T12:00:00Z",
            event_id=f"{task_type}-{model_id}-{days}-{number}",
            **fields,
        )
        for number in range(count)
    ]


def world() -> Iterator[Row]:
    # A named incumbent with a third of the successes of its rival.
    yield from trials("replaced", "old", 60, 200, cost_usd=1.0)
    yield from trials("replaced", "new", 180, 200, cost_usd=0.5)
    # Nobody named one, but one model gets most of the work.
    yield from trials("kept", "usual", 285, 300)
    yield from trials("kept", "rare", 60, 100)
    # Two models as good as each other, and one that is not, of which little is known.
    yield from trials("tried", "usual", 80, 100, cost_usd=1.0)
    yield from trials("tried", "cheap", 48, 60, cost_usd=0.25)
    yield from trials("tried", "hopeless", 1, 16)
    # Three models share the work; the worst has most of the trials, by a little.
    yield from trials("shared", "able", 95, 100)
    yield from trials("shared", "baker", 50, 102)
    yield from trials("shared", "charlie", 40, 101)
    # Sixteen trials each.
    yield from trials("young", "able", 10, 16)
    yield from trials("young", "weak", 1, 16)
    yield from trials("alone", "able", 40, 50)
    yield from trials("newcomer", "usual", 45, 100)
    yield from trials("newcomer", "new", 5, 5)
    for model in "abc":
        yield from trials("flawless", model, 40, 40)
    # Decided early, and taken back by what came later: 0.91 against 0.02 at first.
    yield from trials("doubtful", "old", 1, 60, range(60, 70))
    yield from trials("doubtful", "new", 55, 60, range(60, 70))
    yield from trials("doubtful", "old", 340, 400, range(20))
    yield from trials("doubtful", "new", 320, 400, range(20))
    # A newcomer with five successes ranks first, and must not hide that the second is surely better.
    yield from trials("hidden", "old", 30, 200)
    yield from trials("hidden", "new", 100, 200)
    yield from trials("hidden", "lucky", 6, 6)


INCUMBENTS = {"replaced": "old", "tried": "usual", "doubtful": "old", "hidden": "old"}

# Task type: action, model, incumbent, alternative, reason.
WANTED = {
    "replaced": ("replace", "new", "old", "new", "surely_worse"),
    "kept": ("keep", "usual", "usual", None, "leads"),
    "tried": ("try", "usual", "usual", "cheap", "likely_alternative"),
    "shared": ("keep", "able", None, None, "leads"),
    "young": ("cannot_tell", None, None, None, "too_few_trials"),
    "alone": ("cannot_tell", None, "able", None, "only_model"),
    "newcomer": ("cannot_tell", None, "usual", None, "others_too_few_trials"),
    "flawless": ("cannot_tell", None, None, None, "degenerate"),
    "doubtful": ("cannot_tell", None, "old", None, "decision_in_doubt"),
    "hidden": ("replace", "new", "old", "new", "surely_worse"),
}


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder = tmp_path_factory.mktemp("recommendations")
    warehouse = Warehouse(project=copy_of_project(folder / "project"), database=folder / "outcomes.db")
    named = "".join(f"{task_type},{model}\n" for task_type, model in INCUMBENTS.items())
    (warehouse.project / "workspace" / "seeds" / "incumbents.csv").write_text(f"task_type,model_id\n{named}")
    warehouse.load(world())
    warehouse.loader("build", "--quiet")
    return warehouse


@pytest.fixture(scope="module")
def contents(warehouse: Warehouse) -> report.Contents:
    with closing(store.open_existing(warehouse.database)) as connection:
        return report.gather(connection)


def test_every_task_type_has_the_one_recommendation_that_its_outcomes_give(warehouse: Warehouse) -> None:
    rows = warehouse.query(
        "select task_type, action, model_id, incumbent_model_id, alternative_model_id, reason_code from recommendations"
    )
    assert len(rows) == len(WANTED)
    assert {task_type: tuple(rest) for task_type, *rest in rows} == WANTED


def test_a_replacement_has_both_rates_both_prices_and_how_sure_it_is(warehouse: Warehouse) -> None:
    (row,) = warehouse.rows("select * from recommendations where task_type = 'replaced'")
    assert (row["alternative_success_rate"], row["incumbent_success_rate"]) == (0.9, 0.3)
    assert row["alternative_cost_per_success"] == pytest.approx(0.5 * 200 / 180)
    assert row["incumbent_cost_per_success"] == pytest.approx(1.0 * 200 / 60)
    assert row["difference"] == pytest.approx(0.6)
    assert 0 < row["difference_lower"] < 0.6 < row["difference_upper"] < 1
    assert row["e_value"] > 1000
    assert row["first_decided_at"] < LAST.isoformat()
    (unpriced,) = warehouse.rows("select * from recommendations where task_type = 'hidden'")
    assert (unpriced["alternative_cost_per_success"], unpriced["incumbent_cost_per_success"]) == (None, None)


def test_an_alternative_is_likely_and_has_enough_trials(warehouse: Warehouse) -> None:
    (row,) = warehouse.rows("select * from recommendations where action = 'try'")
    assert row["alternative_probability_best"] >= 0.05
    assert row["alternative_trials"] == 60
    assert row["trials_to_separate"] is None or row["trials_to_separate"] > 0
    named = {model for (model,) in warehouse.query("select model_id from ab_test_candidates where task_type = 'tried'")}
    assert named == {"cheap"}


def test_no_model_is_in_two_lists_that_contradict_each_other(warehouse: Warehouse) -> None:
    demoted = set(warehouse.query("select task_type, model_id from demotion_candidates"))
    assert {("replaced", "old"), ("hidden", "old")} <= demoted
    assert not demoted & set(warehouse.query("select task_type, model_id from ab_test_candidates"))
    recommended = warehouse.query(
        "select task_type, model_id from recommendations union select task_type, alternative_model_id"
        " from recommendations"
    )
    assert not demoted & set(recommended)


def test_an_incumbent_that_is_surely_worse_than_the_leader_should_be_demoted(warehouse: Warehouse) -> None:
    with ModelOutcomes(warehouse.database, strict=True) as outcomes:
        demotion = outcomes.should_demote("replaced", "old")
        assert demotion
        assert demotion.reason == "worse_than_leader: 60.0 points below new"
        assert not outcomes.should_demote("doubtful", "old")
        assert [each.model_id for each in outcomes.ab_test_candidates("replaced")] == []


def test_the_command_shows_the_same_list(warehouse: Warehouse) -> None:
    shown = json.loads(warehouse.loader("candidates", "--json").stdout)
    assert shown == warehouse.rows("select * from recommendations order by task_type")
    lines = warehouse.loader("candidates", "replaced").stdout.splitlines()
    assert lines[0].split() == ["task", "type", "do", "model", "instead", "of", "why"]
    assert lines[2].split()[:4] == ["replaced", "replace", "new", "old"]


def test_the_report_gives_the_same_advice(contents: report.Contents) -> None:
    recommended = {note.task_type: note.text for note in advice.recommended(contents)}
    assert set(recommended) == set(WANTED)
    assert recommended["replaced"].startswith(
        "Replace old by new: it is surely better, by 60.0 points, with 200 trials against 200 under the same"
        " conditions; decided on 2026-"
    )
    figures = " 90.0% at $0.556 per success against 30.0% at $3.33 per success. The difference is +60.0 points ("
    assert figures in recommended["replaced"]
    assert recommended["tried"].startswith("Try cheap beside usual: it may be as good, with 48 successes in 60 trials")
    assert recommended["young"] == "Cannot tell: no model has 30 trials yet."
    incumbents = {leader.task_type: leader.incumbent for leader in advice.leaders(contents)}
    assert incumbents["replaced"] == "old: surely worse, replace it"
    assert (incumbents["shared"], incumbents["kept"], incumbents["doubtful"]) == ("none", "the same", "old")


def test_no_text_calls_a_hopeless_model_as_good(contents: report.Contents) -> None:
    """One success in 16 trials against ten in 16, and 1 in 16 against 80 in 100."""
    texts = [leader.certainty for leader in advice.leaders(contents)]
    texts += [note.text for part in (advice.recommended, notes.trials_worth_making) for note in part(contents)]
    assert not any(re.search(r"\b(hopeless|weak)\b", text) for text in texts)
    assert any("cheap" in text for text in texts)


def test_a_verdict_and_the_figures_beside_it_agree(warehouse: Warehouse, contents: report.Contents) -> None:
    for row in warehouse.rows("select * from ab_comparisons"):
        if row["verdict"] == "challenger_better":
            assert row["difference_lower"] > 0
        if row["verdict"] == "incumbent_better":
            assert row["difference_upper"] < 0
    (doubtful,) = warehouse.rows("select * from ab_comparisons where experiment_id = 'leader:doubtful'")
    assert doubtful["verdict"] == "was_challenger_better"
    assert doubtful["difference_lower"] < 0 < doubtful["difference_upper"]
    assert doubtful["first_decided_at"] < "2026-02-01"
    assert {note.task_type for note in notes.decided(contents)} == {"replaced", "hidden"}
    (note,) = [note for note in notes.undecided(contents) if note.task_type == "doubtful"]
    assert f"the verdict of {doubtful['first_decided_at']} for new no longer holds" in note.text
