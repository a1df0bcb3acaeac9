"""The explorer answers from the snapshot that is in place, says what everything means, and writes nothing."""

import asyncio
import csv
import html
import io
import re
import shutil
import sqlite3
import unicodedata
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from model_outcomes.base.errors import OutcomesError
from model_outcomes.publish import explorer
from model_outcomes.publish.explorer import markup, prepared_queries, server

from .conftest import FORMULA, HOSTILE, IMAGE, MARKUP, MODELS, PROJECT, Site


@pytest.fixture
def ask(site: Site) -> Any:
    """The answers of one explorer to several paths, in order; what is callable is called in between."""

    def answers(*paths: Any, snapshot: Path = site.snapshot) -> list[Any]:
        async def asked() -> list[Any]:
            datasette = explorer.explorer(snapshot)
            await datasette.invoke_startup()
            try:
                return [path() if callable(path) else await datasette.client.get(path) for path in paths]
            finally:
                datasette.executor.shutdown()
                datasette.get_database("model_outcomes").close()

        return asyncio.run(asked())

    return answers


def rows(snapshot: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(snapshot)) as connection:
        return connection.execute(sql).fetchall()


def test_every_table_and_column_is_described_in_dbts_words(site: Site, ask: Any) -> None:
    tables = [name for (name,) in rows(site.snapshot, "select distinct table_name from snapshot_descriptions")]
    assert len(tables) > 10
    pages = ask(*(f"/model_outcomes/{name}" for name in tables))
    for name, page in zip(tables, pages, strict=True):
        columns = [column for (column,) in rows(site.snapshot, f"select name from pragma_table_info('{name}')")]
        assert page.status_code == 200
        assert re.findall(r"<dt>(\w+)</dt><dd>\S", page.text) == columns, name
    said = pages[tables.index("model_stats")].text
    assert "One row per task type and model: all data of the log and the opening balances" in said


def test_it_says_which_run_it_shows(site: Site, ask: Any) -> None:
    ((run_id, as_of),) = rows(site.snapshot, "select run_id, as_of from snapshot_run")
    (page,) = ask("/model_outcomes")
    assert f"as of {as_of}, published by run {run_id}" in page.text


def test_prepared_queries_ask_what_the_guides_ask(site: Site, ask: Any) -> None:
    guides = "".join((PROJECT / "docs" / "guides" / name).read_text() for name in ("asking.md", "experiments.md"))
    blocks = re.findall(r"^```sql\n(select.*?)^```", guides, re.M | re.S)
    expected = [list(map(list, rows(site.snapshot, block))) for block in blocks]
    filters = {"ab_since": "&since=2026-01-01"}
    for name, found in zip(
        prepared_queries.PREPARED,
        ask(
            *(f"/model_outcomes/{name}.json?_shape=arrays{filters.get(name, '')}" for name in prepared_queries.PREPARED)
        ),
        strict=True,
    ):
        assert found.json()["rows"] in expected, name
        assert found.json()["rows"] or name == "ab_since"


def test_prepared_queries_can_be_narrowed(ask: Any) -> None:
    trend = "/model_outcomes/trend_30_days.json?_shape=array&task_type=code&model_id=able"
    dashboard, trend, none = ask(
        "/model_outcomes/dashboard.json?_shape=array&task_type=prose", trend, trend.replace("able", "nobody")
    )
    assert {row["task_type"] for row in dashboard.json()} == {"prose"}
    assert {(row["task_type"], row["model_id"]) for row in trend.json()} == {("code", "able")}
    assert len(trend.json()) == 30
    assert none.json() == []


@pytest.mark.parametrize(
    "sql",
    [
        "delete from model_stats",
        "with x as (select 1) delete from model_stats",
        "drop table model_stats",
        "attach 'other.db' as other",
        "pragma writable_schema = 1",
    ],
)
def test_sql_that_writes_is_refused(site: Site, ask: Any, sql: str) -> None:
    before = site.snapshot.read_bytes()
    (answer,) = ask(f"/model_outcomes.json?sql={sql.replace(' ', '+')}")
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert site.snapshot.read_bytes() == before


def test_a_publish_is_shown_at_once_by_every_thread(site: Site, ask: Any) -> None:
    run = "/model_outcomes/snapshot_run.json?_shape=array"
    many = [run] * 9
    found = ask(
        *many, lambda: site.publish_again("another"), *many, "/model_outcomes",
        lambda: site.publish_again("a third"), *many,
    )  # fmt: skip
    runs = [answer.json()[0]["run_id"] if "[" in answer.text[:1] else "" for answer in found if answer is not None]
    assert "another" not in runs[:9]
    assert set(runs[9:18]) == {"another"}
    assert "published by run another" in found[19].text
    assert set(runs[19:]) == {"a third"}


def test_it_goes_on_while_no_file_is_in_place(site: Site, ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(server.SETTINGS, "num_sql_threads", 1)  # each has a file of its own open, or none yet
    aside = site.snapshot.with_suffix(".aside")
    run = "/model_outcomes/snapshot_run.json?_shape=array"
    try:
        found = ask(run, lambda: site.snapshot.rename(aside), run, "/model_outcomes")
        assert found[-2].json() == found[0].json()
    finally:
        aside.rename(site.snapshot)


def test_old_files_are_let_go(site: Site, ask: Any) -> None:
    """A server that runs for months must not hold on to every snapshot of those months."""

    def held() -> int:
        links = [str(link.readlink()) for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
        return sum("model_outcomes.db (deleted)" in link for link in links)

    run = "/model_outcomes/snapshot_run.json?_shape=array"
    again = [
        part for number in range(5) for part in (lambda number=number: site.publish_again(f"{number}"), *[run] * 9)
    ]
    before = held()
    found = ask(*[run] * 9, *again, held)
    assert found[-1] - before <= 3  # threads that were not asked since


def test_names_are_text_in_every_page(ask: Any) -> None:
    pages = ask("/model_outcomes/model_stats", "/model_outcomes/dashboard", "/-/dashboards/outcomes?task_type=code")
    for page in pages:
        assert page.status_code == 200
        assert MARKUP not in page.text
        assert IMAGE not in page.text


def test_no_page_holds_a_character_that_turns_text_around_and_each_shows_its_escape(ask: Any) -> None:
    pages = ask("/model_outcomes/model_stats", "/model_outcomes/dashboard", "/model_outcomes?sql=select+'%E2%80%AE%1B'",
                "/-/dashboards/outcomes?task_type=code", "/model_outcomes/model_stats?_facet=model_id",
                "/model_outcomes/model_stats?model_id=safe%E2%80%AEgnirts")  # fmt: skip
    for page in pages:
        assert page.status_code == 200
        steering = {each for each in page.text if unicodedata.category(each) in ("Cf", "Zl", "Zp")}
        assert steering == set(), page.url
    for page in (pages[0], pages[1], pages[4], pages[5]):
        assert "safe\\u202egnirts" in page.text
    assert "esc\\u001b[2J\\u009bm\\u2066" in pages[0].text
    assert "\x1b" not in pages[0].text


def test_a_form_sends_a_name_back_as_it_is() -> None:
    page = '<option value="a\u202eb" selected>a\u202eb</option>\n<p>\t\u00a0ok\x9b'
    assert markup.escaped(page) == '<option value="a&#x202e;b" selected>a\\u202eb</option>\n<p>\t\u00a0ok\\u009b'


def test_markup_is_escaped_where_the_dashboard_would_run_it(site: Site, ask: Any, tmp_path: Path) -> None:
    """In every text of its tables that may hold a name, whichever names the marts put there."""
    from model_outcomes.publish.explorer import dashboard

    tables = [chart for chart in dashboard.page(None)["charts"].values() if chart["library"] == "table"]
    assert len(tables) == 3
    assert all(chart["library"] in ("table", "vega-lite") for chart in dashboard.page(None)["charts"].values())
    named = {
        "recommendations": ["task_type", "model_id", "incumbent_model_id", "alternative_model_id", "reason"],
        "ab_comparisons": ["experiment_id", "challenger_model_id", "incumbent_model_id"],
        "caveats": ["title", "consequence", "place", "next_step"],
    }
    hostile = shutil.copy(site.snapshot, tmp_path / "model_outcomes.db")
    with closing(sqlite3.connect(hostile)) as connection, connection:
        for table, columns in named.items():
            settings = ", ".join(f"{column} = :name || rowid" for column in columns)
            assert connection.execute(f"update {table} set {settings}", {"name": f"{MARKUP}\u202e"}).rowcount > 0
        connection.execute("update recommendations set action = 'replace'")
    queries = [f"/model_outcomes.json?_shape=array&{urlencode({'sql': chart['query']})}" for chart in tables]
    shown = {"caveat", "what follows", "where", "what to do", "task type", "model", "instead of", "why", "experiment",
             "challenger", "incumbent"}  # fmt: skip
    seen = set()
    for answer in ask(*queries, snapshot=hostile):
        assert answer.status_code == 200, answer.text
        assert answer.json()
        assert "<" not in answer.text
        for row in answer.json():
            assert "\u202e" not in "".join(map(str, row.values()))
            for column in shown & set(row):
                seen.add(column)
                assert re.fullmatch(re.escape(html.escape(f"{MARKUP}\\u202e")) + r"\d+", row[column]), column
    assert seen == shown


@pytest.mark.parametrize("path", ["/model_outcomes/model_stats.csv", "/model_outcomes/model_stats.csv?_stream=on",
                                  "/model_outcomes.csv?sql=select+*+from+model_stats"])  # fmt: skip
def test_no_cell_of_its_csv_is_a_formula(site: Site, ask: Any, path: str) -> None:
    (answer,) = ask(path)
    found = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(found) == 2 * len(MODELS)
    assert {row["model_id"].removeprefix("'") for row in found} == set(MODELS)
    assert f"'{FORMULA}" in {row["model_id"] for row in found}
    assert {row["trials"] for row in found} == {"40"}


def test_a_query_that_is_refused_leaves_no_traceback(ask: Any, capsys: pytest.CaptureFixture[str]) -> None:
    ask("/model_outcomes?sql=delete+from+model_stats", "/nothing/here")
    assert "Traceback" not in "".join(capsys.readouterr())


@pytest.mark.parametrize("package", ["datasette", "datasette_dashboards", "uvicorn"])
def test_without_its_extra_it_says_how_to_get_it(site: Site, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == package else object())
    with pytest.raises(OutcomesError, match=f"{package} is not installed: run `make setup EXTRAS=explore`"):
        explorer.explorer(site.snapshot)


def test_before_anything_is_published_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(OutcomesError, match=r"nothing is published at .* yet: run `loader run`"):
        explorer.explorer(tmp_path / "model_outcomes.db")
    (tmp_path / "model_outcomes.db").write_text("something else")
    with pytest.raises(OutcomesError, match="is not a snapshot"):
        explorer.explorer(tmp_path / "model_outcomes.db")


def test_the_hostile_names_are_all_there(site: Site) -> None:
    assert set(HOSTILE) <= {name for (name,) in rows(site.snapshot, "select model_id from model_stats")}
