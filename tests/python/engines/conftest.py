"""Tiny dbt projects on SQLite files of their own, built with the repository's macros/engines and nothing else of it.

dbt runs in a forked child: one invocation per process, as dbt wants it, without importing it each time, and one that
a test can kill. No connection may be open while it starts: the child would take its locks for its own.
"""

import io
import json
import multiprocessing
import os
import shutil
import sqlite3
import sys
import time
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

ENGINES = Path(__file__).resolve().parents[3] / "macros" / "engines"
PATIENCE = 60  # seconds until a test gives up

DBT_PROJECT = """
name: fixture
profile: fixture
macro-paths: [{engines}]
flags: {{send_anonymous_usage_stats: false, use_colors: false}}
vars: {{sqlite_chunk_rows: 10}}
"""
PROFILES = """
fixture:
  target: sqlite
  outputs:
    sqlite:
      type: sqlite
      threads: 1
      database: outcomes
      schema: main
      schemas_and_paths: {main: outcomes.db}
      schema_directory: no-more-databases
    duckdb: {type: duckdb, path: outcomes.duckdb, schema: main, threads: 1}
"""


def _invoke(folder: Path, arguments: tuple[str, ...], environment: dict[str, str]) -> None:
    from dbt.cli.main import dbtRunner

    os.chdir(folder)
    os.environ.pop("DBT_PARTIAL_PARSE_FILE_PATH", None)  # it names another project, as parsed
    os.environ.update(environment)
    sys.stdout = sys.stderr = output = io.StringIO()
    success = dbtRunner().invoke(list(arguments)).success
    Path("output.txt").write_text(output.getvalue())
    os._exit(not success)


class Project:
    """A dbt project in a folder, and the SQLite file that it builds in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "outcomes.db"

    def copy_to(self, folder: Path) -> "Project":
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Project(folder)

    def write(self, **files: str) -> None:
        """Writes models/<name>.sql, or models/<name>.yml for a name that ends in _yml."""
        for name, text in files.items():
            stem, is_yaml = name.removesuffix("_yml"), name.endswith("_yml")
            self.put(f"models/{stem}.{'yml' if is_yaml else 'sql'}", text)

    def put(self, path: str, text: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text)

    def connect(self, timeout: float = PATIENCE) -> sqlite3.Connection:
        return sqlite3.connect(self.database, timeout=timeout, isolation_level=None)

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        connection = self.connect()
        try:
            return connection.execute(sql, parameters).fetchall()
        finally:
            connection.close()

    def script(self, sql: str) -> None:
        connection = self.connect()
        connection.executescript(sql)
        connection.close()

    def start(self, *arguments: str, **environment: str) -> BaseProcess:
        shutil.rmtree(self.folder / "logs", ignore_errors=True)
        context = multiprocessing.get_context("fork")
        process = context.Process(target=_invoke, args=(self.folder, arguments, environment))
        process.start()
        return process

    def await_log(self, text: str) -> None:
        """Returns when dbt has written that text to its log, which it does with a statement before it runs."""
        log = self.folder / "logs" / "dbt.log"
        deadline = time.monotonic() + PATIENCE
        while not (log.exists() and text in log.read_text()):
            assert time.monotonic() < deadline, f"dbt never got to {text!r}"
            time.sleep(0.01)

    def finish(self, process: BaseProcess) -> bool:
        process.join(PATIENCE)
        assert process.exitcode is not None, "dbt does not end"
        return process.exitcode == 0

    def kill(self, process: BaseProcess) -> None:
        assert process.is_alive(), "dbt ended before it could be killed"
        process.kill()
        process.join()

    def dbt(self, *arguments: str, **environment: str) -> bool:
        """Whether dbt succeeded."""
        return self.finish(self.start(*arguments, **environment))

    def build(self, *arguments: str) -> None:
        assert self.dbt("build", *arguments), self.output()

    def output(self) -> str:
        return (self.folder / "output.txt").read_text()

    def messages(self) -> dict[str, str]:
        """What the last run said about each dbt model, by name."""
        results = json.loads((self.folder / "target" / "run_results.json").read_text())["results"]
        return {result["unique_id"].split(".")[2]: result["message"] or "" for result in results}

    def leftovers(self) -> list[tuple[Any, ...]]:
        return self.query("select name from sqlite_master where name like '%\\_\\_dbt\\_%' escape '\\'")


@pytest.fixture(scope="session")
def empty_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project without dbt models, whose macros dbt has parsed: copies of it need not parse them again.

    Parsed in this very process, whose children then find dbt's lazily made classes ready.
    """
    from dbt.cli.main import dbtRunner

    project = Project(tmp_path_factory.mktemp("empty"))
    project.put("dbt_project.yml", DBT_PROJECT.format(engines=json.dumps(str(ENGINES))))
    project.put("profiles.yml", PROFILES)
    project.script("pragma journal_mode = wal")
    folder = ["--project-dir", str(project.folder), "--profiles-dir", str(project.folder)]
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("DBT_PARTIAL_PARSE_FILE_PATH", raising=False)  # it names another project, as parsed
        assert dbtRunner().invoke(["parse", *folder]).success
    return project


@pytest.fixture
def project(empty_project: Project, tmp_path: Path) -> Project:
    return empty_project.copy_to(tmp_path)


@pytest.fixture(scope="module")
def module_project(empty_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    return empty_project.copy_to(tmp_path_factory.mktemp("project"))
