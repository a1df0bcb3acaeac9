"""Runs of the whole job on databases of their own, each a process as a scheduler starts it."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ..conftest import Once, with_dbt
from .without_dbt import STAND_IN

PROJECT = Path(__file__).resolve().parents[3]
LOADER = ("-c", "from loader.cli import main; main()")
WITHOUT_DBT = (str(Path(__file__).with_name("without_dbt.py")),)
PATIENCE = 300  # seconds until a test gives up


def ago(**duration: float) -> str:
    return (datetime.now(timezone.utc) - timedelta(**duration)).isoformat()


def outcome(**fields: Any) -> dict[str, Any]:
    return {"task_type": "code", "model_id": "able", "success": True, "timestamp": ago(hours=1), **fields}


def lines(outcomes: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(each) + "\n" for each in outcomes)


class Site:
    """A folder in which a scheduler runs the job: its database, its inbox, what it publishes."""

    def __init__(self, folder: Path, project: Path = PROJECT, program: Sequence[str] = LOADER) -> None:
        self.folder, self.project, self.program = folder, project, program
        self.database = folder / "outcomes.db"
        self.inbox = folder / "inbox"
        self.published = folder / "published"
        self.runs = folder / "runs"
        self.inbox.mkdir(parents=True, exist_ok=True)

    def put(self, name: str, content: str | bytes, age: float = 0.0) -> Path:
        """A file of the inbox, last changed so many seconds ago."""
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (time.time() - age,) * 2)
        return path

    def start(self, *arguments: object, before: Sequence[str] = (), **environment: str) -> "subprocess.Popen[str]":
        """Start the command line, as the arguments of another program if `before` names one."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OUTCOMES_")}
        if self.project != PROJECT:  # the parsed project is another one: dbt would parse this one again at each run
            inherited.pop("DBT_PARTIAL_PARSE_FILE_PATH", None)
        return subprocess.Popen(
            [*before, sys.executable, *self.program, *map(str, arguments)],
            cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**inherited, "OUTCOMES_PROJECT": str(self.project), "OUTCOMES_DB": str(self.database),
                 "OUTCOMES_REPORT": "no", "HOME": str(self.folder),
                 "XDG_STATE_HOME": str(self.folder / "state"), **environment},
        )  # fmt: skip

    def loader(self, *arguments: object, exits: int = 0, **environment: Any) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **environment)
        try:
            stdout, stderr = process.communicate(timeout=PATIENCE)
        except BaseException:  # a timeout, or the end of pytest: it leaves nobody at work
            process.kill()
            process.wait()
            raise
        assert process.returncode == exits, stdout + stderr
        return subprocess.CompletedProcess([*map(str, arguments)], process.returncode, stdout, stderr)

    def run(self, *arguments: object, exits: int = 0, **environment: str) -> dict[str, Any]:
        """The summary of a run over the inbox: all that stands on standard output, and nothing else does."""
        summary = json.loads(self.loader("run", "--inbox", "inbox", *arguments, exits=exits, **environment).stdout)
        assert summary["exit_code"] == exits
        return summary

    def query(self, sql: str, *values: object, path: Path | None = None) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(path or self.database)) as connection:
            return connection.execute(sql, values).fetchall()

    def files(self) -> dict[str, bytes]:
        """What is published, whole."""
        found = sorted(path for path in self.published.rglob("*") if path.is_file())
        return {path.relative_to(self.published).as_posix(): path.read_bytes() for path in found}


def wait_for(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.01)


def stand_in(folder: Path) -> Path:
    """A dbt project of the repository's engine macros and sources, and STAND_IN."""
    project = folder / "project"
    for name in ("macros/engines", "tests/generic", "models/docs"):
        shutil.copytree(PROJECT / name, project / name)
    shutil.copy(PROJECT / "models/staging/_staging__sources.yml", project / "models")
    shutil.copy(PROJECT / "profiles.yml", project)
    for name, text in STAND_IN.items():
        (project / name).parent.mkdir(exist_ok=True, parents=True)
        (project / name).write_text(text)
    return project


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An empty one, whose marts are built without dbt."""
    return Site(tmp_path / "a site", program=WITHOUT_DBT)


@pytest.fixture(scope="session")
@with_dbt
def once_run(once: Once) -> Path:
    """The folder of a site that has run once with the stand-in project, and of that project; to copy."""

    def fill(folder: Path) -> None:
        site = Site(folder / "a site", stand_in(folder))
        site.put("first.jsonl", lines([outcome()]))
        site.run()

    return once("stand-in", fill)


@pytest.fixture
def dbt_site(once_run: Path, tmp_path: Path) -> Site:
    """An empty one, with marts that dbt builds quickly, of a project that it has parsed before."""
    shutil.copytree(once_run / "project", tmp_path / "project")
    parsed = Path("a site", "outcomes.db.build", "target", "partial_parse.msgpack")
    (tmp_path / parsed).parent.mkdir(parents=True)
    shutil.copy(once_run / parsed, tmp_path / parsed)
    return Site(tmp_path / "a site", tmp_path / "project")


@pytest.fixture(scope="module")
@with_dbt
def run_once(once: Once, tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, dict[str, Any], str]:
    """A site on which the job ran once, its summary, and its log; tests take what they change to a copy."""

    def fill(folder: Path) -> None:
        site = Site(folder / "a site")
        # On the same 15 days, so that the two models can be compared.
        days = [ago(days=2 + number % 15) for number in range(151)]
        failing = [outcome(model_id="weak", success=False, timestamp=day) for day in days[:149]]
        able = [outcome(model_id="=able", success=True, cost_usd=0.01, timestamp=day) for day in days]
        uniform = [outcome(task_type="always", model_id=f"m{number % 3}") for number in range(120)]
        site.put("agents/log.jsonl", lines([*failing, *able, *uniform]))
        site.put("refused.jsonl", lines([outcome(success="perhaps")]), age=3600)
        done = site.loader("run", "--inbox", "inbox", "--max-rejects", 1, OUTCOMES_REPORT="yes")
        (folder / "summary.json").write_text(done.stdout)
        (folder / "log.txt").write_text(done.stderr)

    pristine = once("run once", fill)
    folder = tmp_path_factory.mktemp("once") / "a site"
    shutil.copytree(pristine / "a site", folder, symlinks=True)
    return Site(folder), json.loads((pristine / "summary.json").read_text()), (pristine / "log.txt").read_text()


@pytest.fixture
def ran(run_once: tuple[Site, dict[str, Any], str], tmp_path: Path) -> Site:
    """A copy of that site for one test."""
    shutil.copytree(run_once[0].folder, tmp_path / "a site")
    return Site(tmp_path / "a site")
