"""The page in a browser: it opens alone, draws every model, filters, and takes every name for text."""

import re
from collections import Counter
from pathlib import Path
from typing import Literal

import pytest

from sample import world

from .conftest import HOSTILE, Log, Open

LIMIT = 3_000_000  # bytes

PRINTED = {name: "".join(each if each.isprintable() else "\ufffd" for each in name) for name in HOSTILE}


def test_it_opens_alone_and_complains_of_nothing(sample: Log, open_report: Open) -> None:
    opened = open_report(sample.page)
    assert opened.page.title() == "Model outcomes"
    opened.choose(world.TRIAL.task_type)
    assert opened.page.locator("#figures ~ figure svg").count() == 4
    # The fixture looks at the rest: no word on the console, and no request but for the file itself.


def test_nothing_runs_but_its_own_scripts(sample: Log, open_report: Open) -> None:
    opened = open_report(sample.page)
    policy = opened.page.locator("meta[http-equiv]").get_attribute("content") or ""
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    (scripts,) = re.findall("script-src ([^;]*)", policy)
    assert "unsafe-inline" not in scripts
    refused = opened.page.evaluate(
        """() => {
            const script = document.createElement("script");
            script.textContent = "document.title = 'x'";
            document.body.append(script);
            // Later, since the debugger that evaluates this may evaluate anything.
            const tried = () => { try { return eval("1"); } catch (fault) { return fault.name; } };
            return new Promise((resolve) => setTimeout(() => resolve(tried())));
        }"""
    )
    assert (refused, opened.page.title()) == ("EvalError", "Model outcomes")
    assert opened.complaints
    assert all("Content Security Policy" in complaint for complaint in opened.complaints)
    opened.complaints.clear()


@pytest.mark.parametrize("task_type", ["edit_code", "fix_tests", "review_code", "write_docs", "triage_issues"])
def test_the_charts_have_marks_for_every_model(sample: Log, open_report: Open, task_type: str) -> None:
    opened = open_report(sample.page)
    opened.choose(task_type)
    count = "select count(*) from model_rankings where task_type = ? and "
    ((models,),) = sample.query(count + "trials > 0", task_type)
    ((priced,),) = sample.query(count + "cost_per_success > 0 and rank is not null", task_type)
    assert models >= 2
    assert opened.marks("ranking") == models
    assert opened.page.locator("#ranking svg g.mark-rule.role-mark line").count() == models
    assert opened.marks("costs") == priced
    panels = "select count(distinct model_id) from model_daily_trends where task_type = ?"
    assert opened.page.locator("#days svg g.role-scope.cell > g").count() == sample.query(panels, task_type)[0][0]


def test_thirty_models_all_have_their_marks_and_names(strange: Log, open_report: Open) -> None:
    opened = open_report(strange.page)
    opened.choose("many")
    assert (opened.marks("ranking"), opened.marks("costs")) == (30, 30)
    names = opened.page.locator("#ranking svg .role-axis-label text").all_text_contents()
    assert {f"model-{number:02}" for number in range(30)} <= set(names)
    assert opened.page.locator("#days svg g.role-scope.cell > g").count() == 30
    dots = "select count(*) from model_daily_trends where task_type = 'many' and trials > 0"
    assert opened.marks("days") == strange.query(dots)[0][0]


def test_what_a_colour_says_a_shape_says_too(sample: Log, open_report: Open) -> None:
    opened = open_report(sample.page)
    opened.choose("fix_tests")
    drawn = opened.page.locator("#ranking svg g.mark-symbol.role-mark > path").evaluate_all(
        "marks => marks.map(mark => [getComputedStyle(mark).fill, mark.getAttribute('d')])"
    )
    pairs = Counter(map(tuple, drawn))
    assert len(pairs) > 1
    assert len({colour for colour, _ in pairs}) == len({shape for _, shape in pairs}) == len(pairs)


def test_the_task_type_filters_charts_tables_and_data_quality(sample: Log, open_report: Open) -> None:
    opened = open_report(sample.page)
    for task_type in ("write_docs", "fix_tests"):
        opened.choose(task_type)
        models = sample.query("select model_id, trials from model_stats where task_type = ? order by 1", task_type)
        ranked = opened.rows("#ranking details table")
        assert sorted((row[1], int(row[2])) for row in ranked) == models
        quality = opened.rows("#quality-table")
        assert [(row[0], row[1], row[2]) for row in quality] == [(task_type, name, f"{n:,}") for name, n in models]


@pytest.mark.parametrize("days", [28, 90, 0])
def test_the_period_filters_the_days(sample: Log, open_report: Open, days: int) -> None:
    opened = open_report(sample.page)
    opened.choose("review_code", str(days))
    since = "(select date(max(outcome_date), ?) from model_daily_trends)" if days else "coalesce(?, '')"
    wanted = sample.query(
        f"select outcome_date, model_id, trials, successes from model_daily_trends"
        f" where task_type = 'review_code' and outcome_date > {since} order by 1, 2",
        f"-{days} days" if days else None,
    )
    shown = [(row[0], row[1], int(row[2]), int(row[3])) for row in opened.rows("#days details table")]
    assert sorted(shown) == wanted
    rates = "select success_rate_lower, success_rate_upper, trailing_7d_success_rate from model_daily_trends"
    ((lower, upper, trailing),) = sample.query(f"{rates} where task_type = ? and (model_id, outcome_date) = (?, ?)",
                                               "review_code", *wanted[-1][1::-1])  # fmt: skip
    (row,) = [row for row in opened.rows("#days details table") if (row[1], row[0]) == wanted[-1][1::-1]]
    assert row[5:8] == [f"{lower:.1%}", f"{upper:.1%}", f"{trailing:.1%}"]


def test_days_are_the_same_everywhere_on_earth(sample: Log, open_report: Open) -> None:
    labels = []
    for zone in ("Pacific/Auckland", "America/Los_Angeles"):
        opened = open_report(sample.page, timezone_id=zone)
        opened.choose("review_code", "28")
        labels.append(opened.page.locator("#comparisons svg .role-axis-label text").all_text_contents()
                      + opened.page.locator("#days svg .role-axis-label text").all_text_contents())  # fmt: skip
    assert labels[0] == labels[1]
    assert len(labels[0]) > 10


def test_alarms_are_marked_where_they_rang(sample: Log, open_report: Open) -> None:
    opened = open_report(sample.page)
    opened.choose("review_code", "0")
    alarms = sample.query("select outcome_date, model_id from model_daily_trends"
                          " where task_type = 'review_code' and is_drift_alarm = 1 order by 1, 2")  # fmt: skip
    assert alarms
    shown = [(row[0], row[1]) for row in opened.rows("#days details table") if row[8] == "alarm"]
    assert sorted(shown) == alarms
    assert opened.page.locator("#days svg g.mark-symbol.child_layer_3_marks > path").count() == len(alarms)


def test_names_from_outside_stay_text(strange: Log, open_report: Open) -> None:
    opened = open_report(strange.page)
    page = opened.page
    options = page.locator("#task-type option").all_text_contents()
    assert set(PRINTED.values()) <= set(options)
    for task_type in ("hostile", *PRINTED.values(), "many"):
        opened.choose(task_type)
        page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true; })")
    opened.choose("hostile")
    assert {row[1] for row in opened.rows("#ranking details table")} == set(PRINTED.values())
    assert opened.marks("ranking") == len(HOSTILE)
    drawn = page.locator("#ranking svg .role-axis-label text").all_text_contents()
    assert PRINTED["__proto__"] in drawn
    assert page.locator("#leaders").inner_text().count("__proto__")
    # What the page holds is what its template has, and nothing that a name brought along.
    assert page.title() == "Model outcomes"
    assert page.locator("script").count() == 3
    assert page.locator("img, iframe, object, a, [onload], [onerror]").count() == 0
    assert page.locator("svg").count() == page.locator(".chart svg").count()
    short = {name for name in PRINTED.values() if len(name) < 48}
    assert short <= {row[0] for row in opened.rows("#leaders")}
    assert "\u202e" not in page.content()
    text = page.locator("#what-to-do").locator("..").inner_text()
    assert '<img src=x onerror=document.title="x">' in text
    assert "\u05de\u05d5\u05d3\u05dc" in text
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_one_model_is_drawn_and_called_unsure(strange: Log, open_report: Open) -> None:
    opened = open_report(strange.page)
    opened.choose("alone")
    assert (opened.marks("ranking"), opened.marks("costs")) == (1, 1)
    (row,) = [row for row in opened.rows("#leaders") if row[0] == "alone"]
    assert row[1] == "only"
    assert "not sure: no other model" in row[2]


def test_an_empty_log_says_what_to_do(empty: Log, open_report: Open) -> None:
    opened = open_report(empty.page)
    assert "There are no outcomes yet" in opened.page.locator("header").inner_text()
    assert opened.page.locator("svg, table, select").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_legible_in_light_and_dark_and_always_dark_on_white_on_paper(
    sample: Log, open_report: Open, scheme: Literal["dark", "light"]
) -> None:
    opened = open_report(sample.page, color_scheme=scheme)
    measured = """() => {
        const paper = getComputedStyle(document.body).backgroundColor;
        const told = (selector, name) => [...document.querySelectorAll(selector)].map(
            each => [selector, getComputedStyle(each)[name], paper]);
        return [...told("p, li, td, th, h1, h2, h3, summary, .mark", "color"), ...told("svg text", "fill")];
    }"""
    for medium in ("screen", "print"):
        opened.page.emulate_media(media=medium, color_scheme=scheme)
        found = opened.page.evaluate(measured)
        assert len(found) > 100
        assert min(found, key=lambda each: contrast(each[1], each[2]))[0]
        assert [each for each in found if contrast(each[1], each[2]) < 4.5] == []
        is_dark = luminance(found[0][2]) < 0.2
        assert is_dark == (medium == "screen" and scheme == "dark")


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it, of `rgb(r, g, b)`."""
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in (int(number) / 255 for number in re.findall(r"\d+", colour)[:3])
    ]
    return sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_a_phone_shows_it_all_without_scrolling_sideways(sample: Log, strange: Log, open_report: Open) -> None:
    for log, task_type in ((sample, "fix_tests"), (strange, "hostile"), (strange, "many")):
        opened = open_report(log.page, viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
        opened.choose(task_type)
        assert opened.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        for chart in ("ranking", "days", "costs"):
            assert opened.page.evaluate(
                "name => { const own = document.querySelector(`#${name} svg`).getBoundingClientRect();"
                " return own.left >= 0 && own.right <= innerWidth; }", chart,
            ), chart  # fmt: skip


def test_each_chart_says_in_words_what_it_shows(sample: Log, open_report: Open) -> None:
    opened = open_report(sample.page)
    opened.choose("fix_tests")
    for chart in ("ranking", "days", "costs"):
        said = opened.page.locator(f"#{chart} .chart").get_attribute("aria-label") or ""
        for model in ("aurora-large", "aurora-small", "cirrus-mini", "cirrus-pro", "dune-coder"):
            assert model in said
    said = opened.page.locator("#comparisons .chart").get_attribute("aria-label") or ""
    assert "dune-coder against aurora-small" in said


def test_fifty_task_types_of_thirty_models_stay_small_and_draw(large: Log, open_report: Open) -> None:
    assert large.page.stat().st_size < LIMIT
    opened = open_report(large.page)
    opened.choose("a-task-type-49", "0")
    assert opened.marks("ranking") == 30
    assert len(opened.rows("#leaders")) == 50
    assert len(opened.rows("#days details table")) == 30 * 90
    assert len(opened.rows("#quality-table")) == 30


def test_it_holds_no_address_but_those_of_names(sample: Log) -> None:
    """Nothing to be fetched: what looks like an address in the scripts is a namespace, a schema or a comment."""
    page = Path(sample.page).read_text(encoding="utf-8")
    markup = re.sub(r"<script[^>]*>.*?</script>", "", page, flags=re.S)
    assert "://" not in markup
    assert not re.findall(r"<(?:link|img|iframe|base)\b|\b(?:src|href)=", markup)
