"""Logs with very many models or task types: the page stays small, and says what it leaves out."""

import pytest

from .conftest import Log, Open

LIMIT = 3_000_000  # bytes


def test_of_ten_thousand_models_the_first_hundred_are_shown(many_models: Log, open_report: Open) -> None:
    assert many_models.page.stat().st_size < LIMIT
    opened = open_report(many_models.page)
    header = opened.page.locator("header").inner_text()
    assert "10,000 models at 1 task type." in header
    assert "100 of 10,000 pairs of a task type and a model" in header
    assert opened.marks("ranking") == 100
    leader = many_models.query("select model_id from model_rankings where rank = 1")[0][0]
    assert opened.rows("#ranking details table")[0][:2] == ["1", leader]
    assert len(opened.rows("#quality-table")) == 100


def test_of_ten_thousand_task_types_those_with_the_most_trials_are_shown(
    many_task_types: Log, open_report: Open
) -> None:
    assert many_task_types.page.stat().st_size < LIMIT
    opened = open_report(many_task_types.page)
    header = opened.page.locator("header").inner_text()
    assert "1 model at 10,000 task types." in header
    assert "the 200 task types with the most trials and leaves out 9,800" in header
    most = many_task_types.query("select task_type from model_stats order by trials desc, task_type limit 200")
    assert {row[0] for row in opened.rows("#leaders")} <= {name for (name,) in most} | {
        f"{name[:23]}…{name[-24:]}" for (name,) in most
    }
    assert opened.page.locator("#task-type option").count() == 200


@pytest.mark.parametrize("log", ["sample", "large"])
def test_what_fits_is_not_cut_and_not_said_to_be(log: str, request: pytest.FixtureRequest, open_report: Open) -> None:
    opened = open_report(request.getfixturevalue(log).page)
    assert opened.page.locator("#left-out").count() == 0
