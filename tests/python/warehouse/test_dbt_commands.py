"""dbt itself on the real project: freshness, show, unit tests, store_failures, retry, documentation."""

import json
import multiprocessing
import os
import shutil
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from .conftest import ORIGINAL_INSERT, PROJECT, Warehouse, outcome

# What a data engineer might add: a table on a view, tested in both ways.
ADDED = {
    "models/added/lively.sql": "select task_type, model_id, successes * 2 as doubled from {{ ref('model_stats') }}",
    "models/added/_added__models.yml": """
models:
  - name: lively
    description: One row per task type and model.
    config: {materialized: table}
    columns:
      - name: doubled
        description: Twice the successes.
        data_tests:
          - accepted_values:
              name: only_two
              arguments: {values: [2], quote: false}
              config: {severity: warn, store_failures: true}
unit_tests:
  - name: successes_count_twice
    model: lively
    given:
      - input: ref('model_stats')
        rows: [{task_type: a, model_id: m, successes: 3}, {task_type: b, model_id: m, successes: 0}]
    expect:
      rows: [{task_type: a, model_id: m, doubled: 6}, {task_type: b, model_id: m, doubled: 0}]
""",
}


class Dbt:
    """dbt on a copy of the project, with the environment that its profile reads and no loader in between."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        hidden = shutil.ignore_patterns(".*", "python", "target", "logs", "data", "runs")
        shutil.copytree(PROJECT, self.project, ignore=hidden)
        for name, text in ADDED.items():
            (self.project / name).parent.mkdir(exist_ok=True)
            (self.project / name).write_text(text)
        self.warehouse = Warehouse(project=self.project, database=folder / "outcomes.db")
        self.warehouse.loader("init")

    def __call__(self, *arguments: str, fails: bool = False) -> str:
        """What dbt printed; it runs in a fork, since importing it takes longer than most of its commands."""
        import dbt.cli.main  # noqa: F401

        output = self.project / "output.txt"
        process = multiprocessing.get_context("fork").Process(target=self._invoke, args=(arguments, output))
        process.start()
        process.join()
        assert process.exitcode == fails, output.read_text()
        return output.read_text()

    def _invoke(self, arguments: tuple[str, ...], output: Path) -> None:
        from dbt.cli.main import dbtRunner

        os.chdir(self.project)
        os.environ.update(
            OUTCOMES_DB=str(self.warehouse.database),
            OUTCOMES_SCHEMAS=str(self.project / "target" / "schemas"),
            DBT_USE_COLORS="false",
        )
        with output.open("w") as sys.stdout:
            success = dbtRunner().invoke(list(arguments)).success
        os._exit(not success)

    def results(self, file: str = "run_results.json") -> dict[str, dict[str, Any]]:
        results = json.loads((self.project / "target" / file).read_text())["results"]
        nodes = [result for result in results if not result["unique_id"].startswith("operation.")]
        return {result["unique_id"].split(".")[2]: result for result in nodes}


def ago(**duration: float) -> str:
    return (datetime.now(timezone.utc) - timedelta(**duration)).isoformat()


def write_ahead(warehouse: Warehouse, timestamp: str) -> None:
    """A row ahead of the clock, as a file from before the guard against it may hold one."""
    ((guard,),) = warehouse.query("select sql from sqlite_master where name = 'model_outcomes_refuse_insert'")
    warehouse.write("drop trigger model_outcomes_refuse_insert")
    warehouse.write(ORIGINAL_INSERT, "code", "able", 0, 0, 0, 0.0, timestamp)
    warehouse.write(guard)


@pytest.fixture(scope="module")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    """Nothing for eight days but what some clock dated into the next month; all of it built."""
    dbt = Dbt(tmp_path_factory.mktemp("dbt"))
    dbt.warehouse.load([outcome(timestamp=ago(days=days)) for days in (9, 9, 8)])
    write_ahead(dbt.warehouse, ago(days=-30))
    dbt("build")
    return dbt


def test_what_was_added_is_built_and_tested(dbt: Dbt) -> None:
    statuses = {name: result["status"] for name, result in dbt.results().items()}
    assert statuses["lively"] == "success"
    assert dbt.warehouse.query("select doubled from lively") == [(6,)]


def test_failures_are_stored_in_the_file(dbt: Dbt) -> None:
    assert dbt.results()["only_two"]["status"] == "warn"
    assert dbt.warehouse.query("select value_field, n_records from only_two") == [(6, 1)]


def test_unit_tests_stand_on_views(dbt: Dbt) -> None:
    dbt("test", "--select", "lively,test_type:unit")
    assert dbt.results()["lively"]["status"] == "pass"


def test_show_shows_a_mart(dbt: Dbt) -> None:
    shown = json.loads(dbt("--quiet", "show", "--select", "model_stats", "--output", "json"))
    assert [(row["model_id"], row["successes"]) for row in shown["show"]] == [("able", 3)]


def test_freshness_is_not_fooled_by_the_future(dbt: Dbt) -> None:
    dbt("source", "freshness", fails=True)
    stale = dbt.results("sources.json")["model_outcomes"]
    assert stale["status"] == "error"
    assert stale["max_loaded_at_time_ago_in_s"] == pytest.approx(8 * 86400, abs=600)
    dbt.warehouse.write(ORIGINAL_INSERT, "code", "able", 0, 0, 0, 0.0, ago(hours=1))
    dbt("source", "freshness")
    assert dbt.results("sources.json")["model_outcomes"]["status"] == "pass"


def test_retry_goes_on_where_it_failed(dbt: Dbt) -> None:
    added = dbt.project / "models" / "added" / "lively.sql"
    added.write_text(ADDED["models/added/lively.sql"].replace("successes", "no_such_column"))
    dbt("run", "--select", "model_stats", "lively", fails=True)
    assert dbt.warehouse.query("select doubled from lively") == [(6,)], "the old rows stay"
    added.write_text(ADDED["models/added/lively.sql"].replace("2", "3"))
    dbt("retry")
    assert list(dbt.results()) == ["lively"]
    assert dbt.warehouse.query("select doubled from lively") == [(9,)]


def test_the_documentation_is_one_file_with_every_type(dbt: Dbt) -> None:
    dbt("docs", "generate", "--static")
    page = (dbt.project / "target" / "static_index.html").read_text()
    assert len(page) > 1_000_000
    assert "model_rankings" in page
    catalog = json.loads((dbt.project / "target" / "catalog.json").read_text())
    built = {name.split(".")[-1]: node["columns"] for name, node in catalog["nodes"].items()}
    assert {"model_stats", "model_rankings", "int_outcomes_daily", "lively"} <= set(built)
    for mart in ("model_rankings", "model_daily_trends"):
        assert {column["type"] for column in built[mart].values()} == {"TEXT", "INTEGER", "REAL"}, mart
    assert list(built["model_stats"])[:2] == ["task_type", "model_id"]


def test_a_file_without_a_log_stays_one_that_may_become_a_log(
    dbt: Dbt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(dbt.project / "target", tmp_path / "state")
    monkeypatch.setattr(dbt.warehouse, "database", tmp_path / "new.db")
    for command in (["build"], ["seed"], ["test", "--select", "model_stats"], ["source", "freshness"]):
        message = f"there is no table model_outcomes in {tmp_path / 'new.db'}: run `loader init`"
        assert message in dbt(*command, fails=True)
    assert dbt.warehouse.query("select * from sqlite_master") == []
    dbt.warehouse.loader("init")
    refusal = dbt("clone", "--select", "model_stats", "--state", str(tmp_path / "state"), fails=True)
    assert "copy the file with `loader backup NEW_FILE`" in refusal


def test_an_empty_run_checks_the_sql_and_the_next_one_fills_the_tables(dbt: Dbt) -> None:
    nodes = ["--select", "+model_rankings", "--vars", "now: 2026-03-02T12:00:00Z"]
    dbt("run", *nodes)
    before = dbt.warehouse.query("select * from model_rankings")
    assert len(before) == 1
    dbt("run", "--empty", *nodes)
    assert dbt.warehouse.query("select * from model_rankings") == []
    dbt("run", *nodes)
    assert dbt.warehouse.query("select * from model_rankings") == before
