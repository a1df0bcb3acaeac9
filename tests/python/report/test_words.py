"""What the page says in words, held against the marts, and against the world that the sample was drawn from."""

import re
from datetime import date, timedelta
from typing import Any

import pytest

from model_outcomes.base import clock
from model_outcomes.publish import report
from model_outcomes.publish.report import advice
from sample import world

from .conftest import Log, Open


def section(opened, identity: str) -> list[str]:
    """The items of a section, in one line each."""
    items = opened.page.locator(f"section[aria-labelledby={identity}] > ul > li").all_inner_texts()
    return [re.sub(r"\s+", " ", item) for item in items]


def day(log: Log, number: int) -> str:
    """The date of a day of the sample's world."""
    ((last,),) = log.query("select max(outcome_date) from model_daily_trends")
    return (date.fromisoformat(last) - timedelta(days=world.DAYS - 1 - number)).isoformat()


def test_the_leaders_are_those_of_the_rankings_and_sure_where_nothing_is_tied(sample: Log, open_report: Open) -> None:
    opened = open_report(sample.page)
    shown = {row[0]: row[1:] for row in opened.rows("#leaders")}
    leaders = sample.query(
        """
        select
            task_type, model_id, success_rate, trials, cost_per_success, cost_per_success_lower,
            (select group_concat(model_id) from model_rankings as tied
             where tied.task_type = led.task_type and tied.is_tied_with_leader = 1 and tied.rank > 1),
            (select group_concat(model_id) from model_rankings as tied
             where tied.task_type = led.task_type and tied.is_tied_with_leader = 1 and tied.rank > 1
             and tied.trials >= 30 and tied.probability_best >= 0.05)
        from model_rankings as led where rank = 1
        """
    )
    assert len(leaders) == len(shown) == 5
    assert any(likely for *_, likely in leaders)
    for task_type, model, rate, trials, cost, cost_lower, tied, likely in leaders:
        name, certainty, success, tries, price, incumbent = shown[task_type]
        assert (name, tries) == (model, f"{trials:,}")
        assert success.startswith(f"{rate:.1%} (")
        assert certainty.startswith("✓ sure") is not bool(tied)
        assert set(re.findall(r"(\S+) \(", certainty)) == set((likely or "").split(",")) - {""}
        assert incumbent == "none"
        if cost is None:
            assert price == "unknown: no price recorded"
        else:
            assert price.startswith(f"${cost:#.3g} (${cost_lower:#.3g} to ")


@pytest.mark.parametrize(
    ("figures", "text"),
    [
        ((0.05, 0.05, 0.146), "$0.0500 ($0.0500 to $0.146)"),
        ((0.05, None, None), "$0.0500 (one success: no interval)"),
        ((0.0, None, None), "$0.00"),
    ],
)
def test_a_cost_has_its_interval_or_says_that_it_has_none(figures: tuple[Any, ...], text: str) -> None:
    names = ("cost_per_success", "cost_per_success_lower", "cost_per_success_upper")
    assert advice.cost_of_success(dict(zip(names, figures, strict=True))) == text


def test_a_leader_without_a_rival_that_may_be_as_good_is_sure(strange: Log, open_report: Open) -> None:
    (row,) = [row for row in open_report(strange.page).rows("#leaders") if row[0] == "clear"]
    assert row[1:3] == ["good", "✓ sure: better than all 2 others"]


def test_the_model_that_got_worse_is_named_with_about_the_day(sample: Log, open_report: Open) -> None:
    (said,) = section(open_report(sample.page), "drifts")
    began = re.search(r"^review_code: cirrus-pro has been worse since about (\S+): (\S+)% .*, against (\S+)%", said)
    assert began
    assert abs(date.fromisoformat(began[1]) - date.fromisoformat(day(sample, world.REGRESSED_FROM))) <= timedelta(3)
    truth = world.TASKS[world.REGRESSED_TASK].success_rates[world.REGRESSED_MODEL]
    assert float(began[2]) < 100 * world.REGRESSED_RATE + 5 < 100 * truth - 5 < float(began[3])


def test_the_first_list_says_what_to_do(sample: Log, open_report: Open) -> None:
    items = section(open_report(sample.page), "recommendations")
    rows = sample.query(
        "select task_type, action, model_id, alternative_model_id, reason, alternative_probability_best,"
        " alternative_trials from recommendations order by task_type"
    )
    assert {action for _, action, *_ in rows} == {"keep", "try"}
    for item, (task_type, action, model, alternative, reason, probability, trials) in zip(items, rows, strict=True):
        order = f"Keep {model}" if action == "keep" else f"Try {alternative} beside {model}"
        assert item.startswith(f"{task_type}: {order}: {reason}.")
        assert alternative is None or (probability >= 0.05 and trials >= 30)


def test_a_model_that_got_worse_is_not_proposed(sample: Log, open_report: Open) -> None:
    opened = open_report(sample.page)
    proposed = {
        (item.partition(": ")[0], model)
        for name in ("candidates", "recommendations")
        for item in section(opened, name)
        for model in re.findall(r"(\S+) \(\d|Try (\S+)", item)
        for model in model
        if model
    }
    assert len(proposed) > 1
    assert (world.REGRESSED_TASK, world.REGRESSED_MODEL) not in proposed


def test_the_experiment_is_decided_and_since_when(sample: Log, open_report: Open) -> None:
    about = world.TRIAL
    ((since, verdict),) = sample.query(
        "select first_decided_at, verdict from ab_comparisons where experiment_id = ?", about.experiment_id
    )
    assert verdict == "challenger_better"
    assert section(open_report(sample.page), "decided")[0].startswith(
        f"{about.task_type}: Experiment {about.experiment_id} was decided on {since}: {about.challenger} is better"
        f" than {about.incumbent}, "
    )


def test_what_not_to_trust_names_all_that_is_off_in_the_sample(sample: Log, open_report: Open) -> None:
    caveats = {item.partition(".")[0]: item for item in section(open_report(sample.page), "caveats")}
    assert set(caveats) == {"Outages", "No cost", "Opening balances", "Too few trials", "Rejected lines"}
    for outage in world.OUTAGE_DAYS:
        assert day(sample, outage) in caveats["Outages"]
    assert set(re.findall(r"(\S+) on \d", caveats["Outages"])) == {
        name for name, model in world.MODELS.items() if model.provider == world.OUTAGE_PROVIDER
    }
    assert set(re.findall(r"(\S+) at (\S+):", caveats["No cost"])) == {("ember-base", task) for task in world.TASKS}
    assert set(re.findall(r"(\S+) at (\S+):", caveats["Opening balances"])) == {
        (model, task) for task, models in world.LEGACY.items() for model in models
    }
    # Six reasons of five lines: without that word a reader would count again.
    assert "5 lines" in caveats["Rejected lines"]
    assert sum(map(int, re.findall(r"\((\d+)\)", caveats["Rejected lines"]))) == 6
    assert "A line with several faults counts under each." in caveats["Rejected lines"]


def test_a_recorder_that_knows_no_failure_is_not_believed(strange: Log, open_report: Open) -> None:
    opened = open_report(strange.page)
    (row,) = [row for row in opened.rows("#leaders") if row[0] == "flawless"]
    assert "every trial succeeded" in row[2]
    assert any("flawless: every trial succeeded" in item for item in section(opened, "caveats"))


def test_an_old_log_is_called_silent(sample: Log, tmp_path, open_report: Open) -> None:
    from contextlib import closing
    from datetime import datetime, timezone

    from model_outcomes.log import store

    ((last,),) = sample.query("select max(last_used) from model_stats")
    later = datetime.fromisoformat(last[:19]).replace(tzinfo=timezone.utc) + timedelta(days=5, hours=1)
    with closing(store.open_existing(sample.database)) as connection:
        report.save(report.render(report.gather(connection), later), tmp_path / "report.html")
    said = section(open_report(tmp_path / "report.html"), "caveats")[0]
    assert said.startswith("No new outcomes.")
    assert "5 days before" in said


def test_news_of_the_last_run_are_told(sample: Log, tmp_path, open_report: Open) -> None:
    from contextlib import closing

    from model_outcomes.log import store

    changes = {
        "since": "20260101T000000.000Z",
        "new_leaders": [{"task_type": "edit_code", "model_id": "aurora-large", "previous_model_id": "<b>old</b>"}],
        "new_verdicts": [{"task_type": None, "incumbent_model_id": "a", "challenger_model_id": "b",
                          "verdict": "challenger_better"}],
        "new_recommendations": [{"task_type": "edit_code", "action": "keep", "model_id": "aurora-large",
                                 "incumbent_model_id": None, "alternative_model_id": None, "reason": "it leads"}],
        "new_demotion_candidates": [], "new_ab_test_candidates": [],
        "new_drift_alarms": [{"task_type": "review_code", "model_id": "cirrus-pro"}],
        "new_models": ["x", "y"], "new_task_types": [],
    }  # fmt: skip
    with closing(store.open_existing(sample.database)) as connection:
        page = report.render(report.gather(connection, changes), clock.utc_now())
    report.save(page, tmp_path / "report.html")
    assert section(open_report(tmp_path / "report.html"), "changes") == [
        "edit_code: aurora-large leads now instead of <b>old</b>.",
        "b against a is decided: challenger better.",
        "edit_code: New advice: keep aurora-large.",
        "review_code: cirrus-pro is getting worse.",
        "New models: x and y.",
    ]
