"""`loader run --target`: what is published is the same, whichever engine built it; a fault leaves what was there."""

import json
import os
import shutil
import signal
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.answers import queries
from model_outcomes.base.errors import NotInstalledError
from model_outcomes.warehouse import builds, marts
from sample import files

from ..conftest import Invoke
from ..pipeline.conftest import PATIENCE, wait_for
from ..publication import contents
from .comparing import differences
from .conftest import LAST_DAY, Log, copy_of_project
from .test_parity import ENGINES, Environment

NO_SERVER = "postgresql://outcomes@127.0.0.1:1/outcomes"
SLOW = "{{ config(materialized='table') }} select count(*) as number from range(300000) a, range(300000) b"


@dataclass
class Runs:
    """One log, run on SQLite and then on another engine; each published to a folder of its own."""

    log: Log
    target: str
    on_sqlite: dict[str, Any]
    on_engine: dict[str, Any]

    def published(self, target: str) -> Path:
        return self.log.database.parent / f"published on {target}"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_project(tmp_path_factory.mktemp("project") / "project")


@pytest.fixture(scope="module", params=ENGINES)
def runs(request: pytest.FixtureRequest, project: Path, tmp_path_factory: pytest.TempPathFactory,
         engine_environment: Environment) -> Runs:  # fmt: skip
    target = str(request.param)
    folder = tmp_path_factory.mktemp("runs")
    log = Log(folder / "outcomes.db", project, {**engine_environment(target, folder), "OUTCOMES_REPORT": "no"})
    files.write(folder / "inbox", LAST_DAY)
    (folder / "inbox" / files.LEGACY).rename(folder / files.LEGACY)
    summaries = [
        json.loads(log.loader(
            "run", "--inbox", folder / "inbox", "--legacy-json", folder / files.LEGACY, "--max-rejects", 9,
            "--publish", folder / f"published on {each}", "--target", each,
        ).stdout)
        for each in ("sqlite", target)
    ]  # fmt: skip
    return Runs(log, target, *summaries)


def test_every_cell_that_is_published_agrees(runs: Runs) -> None:
    described = marts.read(runs.log.database)
    found = []
    with (
        closing(sqlite3.connect(runs.published("sqlite") / "model_outcomes.db")) as here,
        closing(sqlite3.connect(runs.published(runs.target) / "model_outcomes.db")) as there,
    ):
        for mart in described:
            query = f"select * from {mart.name}"
            found += differences(mart, queries.rows(here, query), queries.rows(there, query))
        assert here.execute("select count(*) > 10 from model_stats").fetchone() == (1,)
        of_snapshots = "select type, name, sql from sqlite_master order by 1, 2"
        assert here.execute(of_snapshots).fetchall() == there.execute(of_snapshots).fetchall()
        last = "select last_outcome_id from snapshot_run"
        assert here.execute(last).fetchone() == there.execute(last).fetchone()
    assert found == []


def test_every_file_is_there_on_both(runs: Runs) -> None:
    here, there = (set(contents(runs.published(target))) for target in ("sqlite", runs.target))
    assert here == there
    assert {"datapackage.json", "csv/model_rankings.csv", "parquet/model_rankings.parquet"} <= there


def test_the_summary_says_the_engine_and_finds_what_sqlite_found(runs: Runs) -> None:
    here, there = runs.on_sqlite, runs.on_engine
    assert (here["target"], there["target"]) == ("sqlite", runs.target)
    assert (here["carried"], there["carried"]["rows"]) == (None, here["accepted"])
    for kind in ("demotion", "drift", "degenerate"):
        assert there["findings"][kind] == here["findings"][kind]
    assert [each["newest_at"] for each in there["findings"]["stale"]] == [
        each["newest_at"] for each in here["findings"]["stale"]
    ]
    assert here["findings"]["demotion"]
    # Nothing is new, which also says that the second engine was compared with what the first one said.
    assert there["changes"] == {
        **{name: [] for name in there["changes"]}, "since": here["run_id"],
    }  # fmt: skip
    with closing(sqlite3.connect(runs.log.database)) as log:
        assert log.execute("select target from run_history order by run_id").fetchall() == [
            ("sqlite",), (runs.target,),
        ]  # fmt: skip
    assert json.loads((Path(there["folder"]) / "summary.json").read_text())["target"] == runs.target
    assert json.loads((Path(there["folder"]) / "sources.json").read_text())["results"]


def test_a_signal_in_the_build_leaves_what_was_published(runs: Runs, tmp_path: Path) -> None:
    if runs.target != "duckdb":
        pytest.skip("the slow dbt model is DuckDB's SQL; what stops the build is the same on every engine")
    project = tmp_path / "project"
    shutil.copytree(runs.log.project, project)
    (project / "models" / "slow.sql").write_text(SLOW)
    log = Log(runs.log.database, project, runs.log.environment)
    published = runs.published(runs.target)
    before = {path: path.read_bytes() for path in published.rglob("*") if path.is_file()}
    process = log.start("run", "--target", runs.target, "--publish", str(published))
    dbt_log = log.database.parent / "runs"
    known = set(dbt_log.iterdir())

    def said() -> str:
        return "".join(path.read_text() for folder in set(dbt_log.iterdir()) - known
                       for path in folder.glob("dbt.log"))  # fmt: skip

    wait_for(lambda: ("slow" in said() and "[RUN]" in said().split("slow")[-1]) or process.poll() is not None, "slow")
    process.send_signal(signal.SIGTERM)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 143, output[-3000:]
    assert "Traceback" not in output
    assert before == {path: path.read_bytes() for path in published.rglob("*") if path.is_file()}
    with closing(sqlite3.connect(log.database)) as connection:
        last = connection.execute("select status, target from run_history order by run_id desc limit 1").fetchone()
    assert last == ("interrupted", runs.target)
    assert runs.log.loader("rank", "fix_tests", "--target", runs.target).stdout


def run(invoke: Invoke, database: Path, *arguments: object) -> tuple[int, list[str], dict[str, Any]]:
    """The exit code, the faults, and the summary of a run that never gets to dbt."""
    done = invoke("run", "--publish", database.parent / "published", *arguments)
    summary = json.loads(done.stdout)
    return done.exit_code, summary["faults"], summary


def test_an_engine_that_is_not_installed_is_one_line_and_the_log_is_filled_all_the_same(
    database: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, package=None: None if "duckdb" in name else found(name, package)
    )
    inbox = database.parent / "inbox"
    inbox.mkdir()
    (inbox / "one.jsonl").write_text(
        '{"task_type": "code", "model_id": "able", "success": true, "timestamp": "2026-01-31T12:00:00Z"}\n'
    )
    code, faults, summary = run(invoke, database, "--target", "duckdb", "--inbox", inbox)
    assert (code, summary["accepted"], summary["published"]) == (2, 1, None)
    assert faults == [
        str(NotInstalledError("dbt-duckdb", "duckdb")),
        "nothing was published: there is no earlier publication",
    ]
    done = invoke("run", "--target", "duckdb", "--dry-run")
    assert (done.exit_code, "make setup EXTRAS=duckdb" in done.output) == (2, True)


@pytest.mark.slow
def test_a_server_or_a_database_that_is_not_there_is_one_line(
    database: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, postgres_dsn: str
) -> None:
    for dsn, words in ((NO_SERVER, "refused"), (f"{postgres_dsn.rpartition('/')[0]}/nowhere", "does not exist")):
        monkeypatch.setenv("OUTCOMES_POSTGRES", dsn)
        code, faults, _ = run(invoke, database, "--target", "postgres")
        assert (code, len(faults), words in faults[0], "\n" in faults[0]) == (2, 2, True, False)


@pytest.mark.parametrize("held", ["sqlite", "duckdb"])
def test_one_run_at_a_time_whatever_the_engine(database: Path, invoke: Invoke, held: str) -> None:
    with builds.lock(database, "a run", held):
        code, (fault,), summary = run(invoke, database, "--target", "duckdb")
    assert (code, summary["status"]) == (75, "busy")
    assert f"a run (process {os.getpid()}" in fault
