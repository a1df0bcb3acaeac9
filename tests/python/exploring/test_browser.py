"""The dashboard and the docs page in a real browser: nothing from elsewhere, no error, names as text."""

from collections.abc import Iterator
from typing import Any

import pytest

from .conftest import FORMULA, MODELS, Site


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page of which `faults` holds what it complains of, and `addresses` what it asked for."""
    page = browser.new_page()
    page.faults, page.addresses = [], []
    page.on("console", lambda said: page.faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda fault: page.faults.append(str(fault)))
    page.on("request", lambda request: page.addresses.append(request.url))
    yield page
    page.close()


def test_the_dashboard_draws_every_model_and_runs_no_name(serving: Any, page: Any) -> None:
    with serving() as (_, address):
        page.goto(f"{address}-/dashboards/outcomes?task_type=code&days=30")
        for chart in ("ranking", "cost", "days"):
            page.wait_for_selector(f"#chart-{chart} canvas, #chart-{chart} svg")
        page.wait_for_selector("#chart-recommendations td")
        page.wait_for_selector("#chart-experiments td")
        assert page.title() == "Model outcomes"
        assert page.faults == []
        assert [each for each in page.addresses if not each.startswith((address, "data:"))] == []
        assert page.locator("#chart-recommendations img, #chart-recommendations script").count() == 0
        cells = page.locator("#chart-recommendations td").all_inner_texts()
        assert cells[:4] == ["code", "try", FORMULA, "able"]
        assert {name for name in cells[2::5] if name} <= set(map(shown, MODELS))


def shown(name: str) -> str:
    """A name of the site as a page shows it."""
    escapes = {"\u202e": "\\u202e", "\x1b": "\\u001b", "\x9b": "\\u009b", "\u2066": "\\u2066"}
    return "".join(escapes.get(each, each) for each in name)


def test_a_long_name_makes_no_page_wider_than_the_window(serving: Any, page: Any) -> None:
    page.set_viewport_size({"width": 1000, "height": 800})
    long = next(name for name in MODELS if len(name) == 300)
    pages = (f"model_outcomes/model_daily_trends?model_id={long}", "-/dashboards/outcomes?task_type=code",
             "-/dashboards", "model_outcomes", f"model_outcomes?sql=select+'{long}'+as+name")  # fmt: skip
    with serving() as (_, address):
        for path in pages:
            page.goto(address + path)
            # As if a task type had such a name: all of them are options of the dashboard's filter.
            page.evaluate("name => document.querySelector('#task_type')?.add(new Option(name), null)", long)
            assert page.evaluate("document.documentElement.scrollWidth") <= 1000, path


def test_a_filter_changes_what_is_drawn(serving: Any, page: Any) -> None:
    with serving() as (_, address):
        page.goto(f"{address}-/dashboards/outcomes")
        page.wait_for_selector("#chart-recommendations td")
        assert page.input_value("#task_type") == "code"
        page.select_option("#task_type", "prose")
        page.click("input[type=submit]")
        page.wait_for_selector("#chart-recommendations td")
        assert set(page.locator("#chart-recommendations td:nth-child(1)").all_inner_texts()) == {"prose"}


def test_a_prepared_query_is_found_and_answers(serving: Any, page: Any) -> None:
    with serving() as (_, address):
        page.goto(address)
        page.click("text=model_outcomes >> nth=0")
        page.click("text=Trend: the last 30 days")
        page.fill("#qp1, input[name=task_type]", "code")
        page.click("input[type=submit]")
        page.wait_for_selector("table.rows-and-columns td")
        assert "task_type=code" in page.url
        assert page.locator("td.col-task_type").first.inner_text() == "code"
        assert page.faults == []


def test_writing_is_refused(serving: Any, page: Any) -> None:
    with serving() as (_, address):
        answer = page.goto(f"{address}model_outcomes?sql=delete+from+model_stats")
        assert answer.status == 400
        assert "Statement must be a SELECT" in page.inner_text("body")


def test_the_docs_open_offline_with_glossary_and_types(site: Site, page: Any) -> None:
    site.loader("docs", "--output", "page.html")
    page.goto(f"{(site.folder / 'page.html').as_uri()}#!/overview")
    page.wait_for_selector("td:text-is('infrastructure failure')")
    page.goto(f"{(site.folder / 'page.html').as_uri()}#!/model/model.model_outcomes.model_stats")
    page.wait_for_selector("text=total_cost")
    assert "REAL" in page.inner_text("tr:has-text('total_cost')")
    assert [each for each in page.addresses if not each.startswith(("file:", "data:", "blob:"))] == []
