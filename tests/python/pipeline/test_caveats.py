"""One list of caveats: doctor, report, run summary, snapshot and explorer say the same, with the right figures."""

import html
import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.answers import caveats
from model_outcomes.answers.queries import rows
from model_outcomes.base import clock
from model_outcomes.log import store
from model_outcomes.publish.explorer import dashboard

from ..conftest import with_dbt
from .conftest import Site, lines, outcome


def failed(model: str, count: int, error_type: str, **fields: Any) -> list[dict[str, Any]]:
    return [outcome(model_id=model, success=False, error_type=error_type, **fields) for _ in range(count)]


def tried(model: str, trials: int, successes: int, **fields: Any) -> list[dict[str, Any]]:
    return [outcome(model_id=model, success=number < successes, **fields) for number in range(trials)]


OUTCOMES = [
    *tried("gpt-5", 7, 7, cost_usd=0.01), *failed("gpt-5", 854, "rate_limited", cost_usd=0),
    *tried("openai/gpt-5", 40, 30, cost_usd=0.01),
    *failed("gone", 60, "provider_unavailable"),
    *tried("weird", 80, 80), *failed("weird", 20, "wrong_answer"), *failed("weird", 10, "timeout"),
    *failed("weird", 40, "strange"),
    *(each for model in "abc" for each in tried(model, 40, 40, task_type="always", cost_usd=0.01)),
    *tried("a", 30, 20, task_type="fix-tests", cost_usd=0.01),
    *tried("a", 30, 20, task_type="Fix Tests", cost_usd=0.01),
]  # fmt: skip


@pytest.fixture(scope="module")
@with_dbt
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, dict[str, dict[str, Any]]]:
    """A site after a run over a log of known faults, and the caveats of the run's summary by kind."""
    site = Site(tmp_path_factory.mktemp("caveats") / "a site")
    site.put("log.jsonl", lines([*OUTCOMES, outcome(success="perhaps")]))
    summary = site.run("--max-rejects", 1, OUTCOMES_REPORT="yes")
    by_kind = {caveat["kind"]: caveat for caveat in summary["caveats"]}
    assert len(by_kind) == len(summary["caveats"])
    return site, by_kind


def figures(caveat: dict[str, Any]) -> dict[tuple[str | None, str | None], dict[str, Any]]:
    return {(place["task_type"], place["model_id"]): place["figures"] for place in caveat["places"]}


def test_each_fault_is_told_the_gravest_first(told) -> None:
    _, by_kind = told
    assert list(by_kind) == [
        "degenerate", "lost_attempts", "outages", "unknown_error_types", "twin_names", "rejected_lines",
        "missing_timeouts", "unpriced", "few_trials",
    ]  # fmt: skip


def test_unknown_error_types_are_told_with_both_rates(told) -> None:
    caveat = told[1]["unknown_error_types"]
    # 80 of 150 trials, and 80 of the 110 that are left without the 40.
    (cell,) = figures(caveat).values()
    assert cell["success_rate"] == pytest.approx(80 / 150)
    assert cell["success_rate_without_unknown"] == pytest.approx(80 / 110)
    sentence = "57% of the failures have an unknown cause: 53.3% to 72.7%"  # 40 of 70
    assert caveat["places"][0]["text"] == f"weird at code: {sentence}"
    ranking = told[0].loader("rank", "code").stdout.splitlines()
    row = next(number for number, line in enumerate(ranking) if " weird " in line)
    assert ranking[row + 1].strip() == sentence
    assert sum("unknown cause" in line for line in ranking) == 1
    count = Counter(each["error_type"] for each in OUTCOMES if not each["success"] and "error_type" in each)
    failures = sum(not each["success"] for each in OUTCOMES)
    assert caveat["figures"]["error_types"] == {"strange": count["strange"]}
    assert caveat["figures"]["unknown_share_of_failures"] == pytest.approx(count["strange"] / failures)


def test_lost_attempts_are_told_wherever_a_fifth_is_lost(told) -> None:
    caveat = told[1]["lost_attempts"]
    assert {cell: (each["infrastructure_failures"], each["attempts"]) for cell, each in figures(caveat).items()} == {
        ("code", "gpt-5"): (854, 861),
        ("code", "gone"): (60, 60),
    }
    outages = {model: each for (_, model), each in figures(told[1]["outages"]).items()}
    assert (outages["gone"]["infrastructure_failures"], outages["gone"]["attempts"]) == (60, 60)


def test_probable_twins_and_missing_timeouts_are_named(told) -> None:
    assert [place["figures"] for place in told[1]["twin_names"]["places"]] == [
        {"column": "model_id", "trials": {"gpt-5": 7, "openai/gpt-5": 40}},
        {"column": "task_type", "trials": {"Fix Tests": 30, "fix-tests": 30}},
    ]
    assert figures(told[1]["missing_timeouts"]) == {("code", "weird"): {"unmarked_failures": 10}}


def test_unpriced_trials_few_trials_and_rejected_lines_are_counted(told) -> None:
    assert figures(told[1]["unpriced"])["code", "weird"]["unpriced_trials"] == 150
    assert figures(told[1]["few_trials"]) == {("code", "gpt-5"): {"trials": 7}}
    assert told[1]["rejected_lines"]["figures"] == {"lines": 1}
    assert [place["text"] for place in told[1]["degenerate"]["places"]] == ["always: every trial succeeded (120)"]


def test_doctor_report_snapshot_and_explorer_say_the_same(told) -> None:
    site, by_kind = told
    findings = json.loads(site.loader("doctor", "--json").stdout)["findings"]
    assert [each["details"] for each in findings if "kind" in each["details"]] == list(by_kind.values())
    text = site.loader("doctor").stdout
    page = (site.published / "report.html").read_text(encoding="utf-8")
    shown = re.sub(r"\s+", " ", html.unescape(re.sub("<[^>]*>", "", page.partition('id="caveats"')[2])))
    with closing(store.open_snapshot(site.published / "model_outcomes.db")) as snapshot:
        stored = [json.loads(caveats_json(caveat)) for caveat in caveats.of_data(snapshot)]
        snapshot.create_function("as_html", 1, lambda value: value)
        panel = rows(snapshot, dashboard.page(None)["charts"]["caveats"]["query"], {"task_type": ""})
        described = snapshot.execute(
            "select column_name from snapshot_descriptions where table_name = 'caveats' and column_name is not null"
        ).fetchall()
        columns = [row[1] for row in snapshot.execute("pragma table_info(caveats)")]
    assert stored == list(by_kind.values())
    assert [name for (name,) in described] == columns
    assert [row["where"] for row in panel] == [each["text"] for own in by_kind.values() for each in own["places"]]
    for caveat in by_kind.values():
        for said in (caveat["consequence"], *(place["text"] for place in caveat["places"])):
            assert said in text
            assert re.sub(r"\s+", " ", said) in shown
        assert caveat["consequence"] in {row["what follows"] for row in panel}


def caveats_json(caveat: caveats.Caveat) -> bytes:
    import msgspec

    return msgspec.json.encode(caveat)


def test_the_lost_share_stands_beside_the_rate(told) -> None:
    from model_outcomes import ModelOutcomes

    site, _ = told
    for command in (("rank", "code"), ("stats", "code"), ("compare", "weird", "gpt-5", "--task-type", "code")):
        heading, _, *table = site.loader(*command).stdout.splitlines()
        assert "lost" in heading.split()
        (row,) = [row for row in table if re.search(r"\bgpt-5\b", row) and "openai" not in row]
        assert "99.2%" in row.split()
    assert "lost" not in site.loader("rank", "always").stdout
    answer = json.loads(site.loader("compare", "weird", "gpt-5", "--task-type", "code", "--json").stdout)
    assert answer["challenger_infrastructure_failures"] == 854
    assert answer["challenger_lost_share"] == pytest.approx(854 / 861)
    with ModelOutcomes(site.database, strict=True) as log:
        lost = {model.model_id: model.lost_share for model in log.ranked_models("code")}
    assert lost == {"gpt-5": pytest.approx(854 / 861), "openai/gpt-5": 0, "weird": 0}


def test_joined_names_are_no_twins_and_seeds_may_err(told, tmp_path: Path) -> None:
    with closing(sqlite3.connect(told[0].database)) as log, closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        log.backup(copy)
        copy.execute("insert into incumbents (task_type, model_id) values ('code', 'typo')")
        copy.execute("insert into model_aliases (alias, model_id) values ('gpt-5', 'openai/gpt-5')")
        by_kind = {caveat.kind: caveat for caveat in caveats.of_data(copy)}
    assert [place.figures["column"] for place in by_kind[caveats.Kind.TWIN_NAMES].places] == ["task_type"]
    assert [place.model_id for place in by_kind[caveats.Kind.UNRECORDED_NAMES].places] == ["typo"]


def test_what_cannot_be_checked_is_said(told, tmp_path: Path) -> None:
    with closing(sqlite3.connect(told[0].database)) as log, closing(sqlite3.connect(tmp_path / "copy.db")) as copy:
        log.backup(copy)
        copy.execute("drop view model_failures")
        *_, last = caveats.of_data(copy)
    assert last.kind is caveats.Kind.NOT_CHECKED
    assert "older build: unknown error types, missing timeouts." in last.consequence


def test_many_failures_without_any_timeout_are_a_caveat() -> None:
    with closing(sqlite3.connect(":memory:")) as marts:
        marts.execute("create table model_failures (task_type, model_id, error_type, attribution, failures, timeouts)")
        marts.execute("insert into model_failures values ('code', 'a', '', 'unnamed', 99, 0)")
        assert missing_timeouts(marts) == []
        marts.execute("insert into model_failures values ('code', 'b', 'wrong_answer', 'model', 1, 0)")
        ((said,),) = [missing_timeouts(marts)]
        assert said.startswith("None of 100 failures is marked as a timeout.")
        marts.execute("update model_failures set timeouts = 1 where model_id = 'b'")
        assert missing_timeouts(marts) == []


def missing_timeouts(marts: sqlite3.Connection) -> list[str]:
    kind = caveats.Kind.MISSING_TIMEOUTS
    return [caveat.consequence for caveat in caveats.of_data(marts) if caveat.kind is kind]


@pytest.mark.parametrize(("hours", "said"), [(23, None), (25, "1 day before"), (49, "2 days before")])
def test_a_silent_log_is_stale_after_a_day(hours: int, said: str | None) -> None:
    from datetime import datetime, timedelta, timezone

    now = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
    texts = [each.consequence for each in caveats.stale(clock.to_text(now - timedelta(hours=hours)), now)]
    assert (said in texts[0]) if said else (texts == [])


def test_files_that_nobody_could_read_and_task_types_with_too_many_models_are_named() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("""
            create table inbox_files (path, fault);
            insert into inbox_files values ('/in/good.csv', null), ('/in/bad.gz', '/in/bad.gz: the .gz is damaged');
            create table model_rankings (task_type, probability_best, is_capped);
            insert into model_rankings values
                ('runs', 0.5, 1), ('runs', 0.5, 1), ('runs', null, 1), ('usual', 1.0, 0);
        """)
        by_kind = {caveat.kind: caveat for caveat in caveats.of_data(connection)}
    assert by_kind[caveats.Kind.UNREADABLE_FILES].place_texts() == ["/in/bad.gz: the .gz is damaged"]
    assert by_kind[caveats.Kind.MANY_MODELS].place_texts() == ["runs: 3 models, 2 of them compared"]
