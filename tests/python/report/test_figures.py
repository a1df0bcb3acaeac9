"""The charts fit their boxes, draw data of one day, and say on paper what they are about."""

import pytest

from model_outcomes.answers import standings

from .conftest import Log, Open

WIDTHS = [320, 800, 1400]


@pytest.mark.dbt  # its logs come by getfixturevalue
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize(("log", "task_type"), [("sample", "fix_tests"), ("one_day", "yesterday")])
def test_no_chart_is_wider_than_its_box(
    log: str, task_type: str, width: int, request: pytest.FixtureRequest, open_report: Open
) -> None:
    opened = open_report(request.getfixturevalue(log).page, viewport={"width": width, "height": 900})
    opened.choose(task_type, "0")
    boxes = opened.page.locator(".chart").evaluate_all(
        "all => all.filter(chart => chart.querySelector('svg')).map(chart =>"
        " [chart.parentElement.id, chart.querySelector('svg').getBoundingClientRect().width, chart.clientWidth])"
    )
    assert [name for name, _, _ in boxes] == ["ranking", "days", "costs", "comparisons"]
    assert [box for box in boxes if box[1] > box[2]] == []


@pytest.mark.parametrize("task_type", ["yesterday", "today", "apart"])
def test_one_day_is_drawn_with_its_interval(one_day: Log, open_report: Open, task_type: str) -> None:
    opened = open_report(one_day.page)
    opened.choose(task_type)
    lines = (
        "chart => [...chart.querySelectorAll('g.mark-rule.role-mark line')]"
        ".map(line => line.getBoundingClientRect().height)"
    )
    panels = opened.page.locator("#days svg g.role-scope.cell > g").count()
    tall = [height for height in opened.page.locator("#days .chart").evaluate(lines) if height > 5]
    assert (panels, len(tall), opened.marks("days")) == (2, 2, 2)
    # The 95 % score intervals of 54 of 60 and of 50 of 100 (R: binom::binom.wilson).
    shown = {row[1]: row[4:7] for row in opened.rows("#days details table") if row[2] != "0"}
    assert shown == {"challenger": ["90.0%", "79.9%", "95.3%"], "incumbent": ["50.0%", "40.4%", "59.6%"]}
    if task_type == "apart":  # no day in common, so no difference
        assert opened.page.locator("#comparisons svg").count() == 0
        return
    assert opened.page.locator("#comparisons svg").count() == 1
    tall = [height for height in opened.page.locator("#comparisons .chart").evaluate(lines) if height > 5]
    assert len(tall) >= 1
    assert opened.marks("comparisons") == 1
    assert [row[2] for row in opened.rows("#comparisons details table")][-1] == "40.0%"


def test_each_figure_says_its_task_type_on_paper(sample: Log, open_report: Open) -> None:
    opened = open_report(sample.page)
    for task_type in ("write_docs", "fix_tests"):
        opened.choose(task_type, "28")
        opened.page.emulate_media(media="print")
        assert not opened.page.locator("#filters").is_visible()
        for figure in ("ranking", "days", "costs", "comparisons"):
            about = opened.page.locator(f"#{figure} .about")
            assert about.is_visible()
            assert about.inner_text().startswith(task_type)
        assert opened.page.locator("#days .about").inner_text() == f"{task_type}, last 28 days"
        opened.page.emulate_media(media="screen")


def test_the_standings_have_the_colours_and_words_of_the_one_list(sample: Log, open_report: Open) -> None:
    opened = open_report(sample.page, color_scheme="light")
    opened.choose("fix_tests")
    labels = opened.page.locator("#ranking svg .role-legend-label text").all_text_contents()
    assert labels == ["surely best", "may be the best", "surely behind", "too few trials", "retired"]
    fills = opened.page.locator("#ranking svg .role-legend-symbol path").evaluate_all(
        "all => all.map(each => getComputedStyle(each).fill)"
    )
    wanted = [f"rgb({int(c[1:3], 16)}, {int(c[3:5], 16)}, {int(c[5:], 16)})" for c in standings.LIGHT]
    assert fills == wanted
    stated = {row[1]: row[7] for row in opened.rows("#ranking details table")}
    words = {key: standing.words for key, standing in standings.STANDINGS.items()}
    marts = sample.query("select model_id, standing from model_rankings where task_type = 'fix_tests' and trials > 0")
    assert stated == {model: words[standing] for model, standing in marts}


def test_lost_attempts_stand_beside_the_rate(sample: Log, open_report: Open) -> None:
    opened = open_report(sample.page)
    lost = sample.query(
        "select task_type, model_id, infrastructure_failures, trials from model_stats"
        " where infrastructure_failures > 0 and (task_type, model_id) in"
        " (select task_type, model_id from model_rankings where rank = 1)"
    )
    assert lost
    shown = {row[0]: row[3] for row in opened.rows("#leaders")}
    for task_type, _, failures, trials in lost:
        assert shown[task_type].endswith(f"{failures:,} of {trials + failures:,} attempts lost")
    task_type, model, failures, trials = lost[0]
    opened.choose(task_type)
    (row,) = [row for row in opened.rows("#ranking details table") if row[1] == model]
    assert f"{failures:,} of {trials + failures:,} attempts lost" in row
