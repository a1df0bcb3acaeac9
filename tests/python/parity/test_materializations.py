"""What SQLite's materializations promise holds on DuckDB: contracts, sums that count once, kills without a trace."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

ENGINES = Path(__file__).parents[3] / "macros" / "engines"
PROJECT = """
name: fixture
profile: fixture
macro-paths: [{engines}]
flags: {{send_anonymous_usage_stats: false, use_colors: false}}
"""
PROFILES = """
fixture:
  target: duckdb
  outputs:
    duckdb: {type: duckdb, path: built.db, schema: main, threads: 1}
"""
ROLLUP = """
select team, count(*) as games, sum(points) as points, min(points) as least, max(id) as last_id
from {{ target.schema }}.log where id > {{ rolled_up_to() }}
group by team
"""
CONTRACT = """
models:
  - name: rollup
    config:
      materialized: additive
      contract: {enforced: true}
      unique_key: [team]
      meta:
        minimum_columns: [least]
        maximum_columns: [last_id]
        watermark: last_id
    columns:
      - {name: team, data_type: text}
      - {name: games, data_type: bigint}
      - {name: points, data_type: bigint}
      - {name: least, data_type: bigint}
      - {name: last_id, data_type: bigint}
"""


class Project:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []
        self.put("dbt_project.yml", PROJECT.format(engines=json.dumps(str(ENGINES))))
        self.put("profiles.yml", PROFILES)
        self.put("models/rollup.sql", ROLLUP)
        self.put("models/contract.yml", CONTRACT)
        self.query("create table log (id bigint, team text, points bigint)")

    def put(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(exist_ok=True)
        (self.folder / path).write_text(text)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.folder / "built.db")) as connection:
            return connection.execute(sql).fetchall()

    def log(self) -> str:
        path = self.folder / "logs" / "dbt.log"
        return path.read_text() if path.exists() else ""

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "build", *arguments]
        build = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.started.append(build)
        return build

    def build(self, *arguments: str) -> str:
        building = self.start(*arguments)
        said, _ = building.communicate()
        return "" if building.returncode == 0 else said


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    project = Project(tmp_path)
    yield project
    for build in project.started:
        build.kill()
        build.wait()


@pytest.mark.slow
def test_an_additive_rollup_counts_each_row_once(project: Project) -> None:
    project.query("insert into log values (1, 'a', 5), (2, 'a', 7), (3, 'b', null)")
    assert project.build() == ""
    assert project.query("from rollup order by team") == [("a", 2, 12, 5, 2), ("b", 1, None, None, 3)]
    assert project.build() == ""
    project.query("insert into log values (4, 'b', 4), (5, 'c', 1), (6, 'a', 1)")
    assert project.build() == ""
    everything = [("a", 3, 13, 1, 6), ("b", 2, 4, 4, 4), ("c", 1, 1, 1, 5)]
    assert project.query("from rollup order by team") == everything
    types = dict(project.query("select column_name, data_type from information_schema.columns"
                               " where table_name = 'rollup'"))  # fmt: skip
    assert types == {"team": "VARCHAR", **dict.fromkeys(("games", "points", "least", "last_id"), "BIGINT")}
    assert project.build("--full-refresh") == ""
    assert project.query("from rollup order by team") == everything
    with pytest.raises(duckdb.ConstraintException):
        project.query("insert into rollup values ('a', 1, 1, 1, 1)")


@pytest.mark.slow
def test_a_contract_that_is_not_kept_fails_and_a_changed_one_builds_anew(project: Project) -> None:
    project.query("insert into log values (1, 'a', 5)")
    assert project.build() == ""
    project.put("models/rollup.sql", ROLLUP.replace("count(*) as games", "'one' as games"))
    assert "data type mismatch" in project.build()
    assert project.query("from rollup") == [("a", 1, 5, 5, 1)]
    project.put("models/rollup.sql", ROLLUP.replace("count(*) as games,", ""))
    project.put("models/contract.yml", CONTRACT.replace("      - {name: games, data_type: bigint}\n", ""))
    assert project.build() == ""
    assert project.query("from rollup") == [("a", 5, 5, 1)]


@pytest.mark.slow
def test_a_killed_build_leaves_the_old_rows_and_the_next_counts_all(project: Project) -> None:
    project.query("insert into log values (1, 'a', 5)")
    assert project.build() == ""
    project.query("insert into log select range + 2, 'a', 1 from range(1000)")
    slow = ROLLUP + "\nhaving (select max(a.range + b.range) from range(1000000) a, range(30000) b) > 0\n"
    project.put("models/rollup.sql", slow)
    shutil.rmtree(project.folder / "logs")
    building = project.start()
    deadline = time.monotonic() + 60
    while "START sql additive model" not in project.log():
        assert building.poll() is None, building.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(2)
    os.kill(building.pid, signal.SIGKILL)
    building.communicate()
    assert project.query("from rollup") == [("a", 1, 5, 5, 1)]
    project.put("models/rollup.sql", ROLLUP)
    assert project.build() == ""
    assert project.query("from rollup") == [("a", 1001, 1005, 1, 1001)]
