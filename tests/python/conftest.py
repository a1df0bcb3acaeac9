"""What tests of several subjects share: a log of their own, the command line, real data."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import filelock
import pytest
from click.testing import CliRunner, Result

from loader.cli import main

Query = Callable[..., list[tuple[Any, ...]]]
Invoke = Callable[..., Result]
Line = Callable[..., bytes]
Once = Callable[[str, Callable[[Path], object]], Path]

TESTS = Path(__file__).resolve().parent
PROJECT = TESTS.parents[1]
# Of more than half a minute.
LONGEST = [
    "book/test_pages.py",
    "pipeline/test_running.py",
    "report/test_page.py",
    "warehouse/test_experiments.py",
    "pipeline/test_interruptions.py",
    "parity/test_parity.py",
    "warehouse/test_live_statistics.py",
    "warehouse/test_building.py",
    "report/test_figures.py",
    "parity/test_runs.py",
    "warehouse/test_dbt_commands.py",
    "pipeline/test_reporting.py",
    "outputs/test_other_files.py",
    "engines/test_tables.py",
    "pipeline/test_doctoring.py",
    "warehouse/test_audit.py",
    "terminal/test_printed.py",
    "pipeline/test_hostile_inbox.py",
    "stress/test_everybody_at_once.py",
    "engines/test_dbt_commands.py",
]
PLAIN = {"task_type": "coding", "model_id": "alpha", "success": True, "timestamp": "2026-01-31T12:00:00Z"}


def pytest_configure(config: pytest.Config) -> None:
    """Let no variable of dbt reach a test but one: where dbt finds the project as it was parsed before."""
    for name in [name for name in os.environ if name.startswith("DBT_")]:
        del os.environ[name]
    if parsed(config).exists():
        os.environ["DBT_PARTIAL_PARSE_FILE_PATH"] = str(parsed(config))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Parse the dbt project once for all workers of a parallel run: that takes a third of a build of a small log."""
    if hasattr(session.config, "workerinput") or not getattr(session.config.option, "numprocesses", None):
        return
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "outcomes.db"
        _build(database, "--select", "+model_stats")
        result = database.with_name("outcomes.db.build") / "target" / "partial_parse.msgpack"
        if result.exists():  # dbt writes none if nothing has changed since
            shutil.copy(result, parsed(session.config))
    os.environ["DBT_PARTIAL_PARSE_FILE_PATH"] = str(parsed(session.config))


def parsed(config: pytest.Config) -> Path:
    """Return where the project lies as dbt parsed it. dbt parses again what has changed since."""
    return config.cache.mkdir("dbt") / "partial_parse.msgpack"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no worker has a long one left when the others are done."""
    order = {TESTS / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path, len(order)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests recorded as their `summary`."""
    for report in terminalreporter.getreports("passed"):
        for text in [value for name, value in report.user_properties if name == "summary"]:
            terminalreporter.write_line(str(text))


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Return the folder of a name. The first worker of a run that asks for it fills it, for all of them to read."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def folder(name: str, fill: Callable[[Path], object]) -> Path:
        path, filled = shared / name, shared / f"{name} is filled"
        with filelock.FileLock(shared / f"{name}.lock"):
            if not filled.exists():
                shutil.rmtree(path, ignore_errors=True)
                path.mkdir()
                fill(path)
                filled.touch()
        return path

    return folder


@pytest.fixture(scope="session")
def built_empty(once: Once) -> Path:
    """An empty log, built, beside which dbt's folder is; tests that change it take a copy."""
    return once("built empty", lambda folder: _build(folder / "outcomes.db")) / "outcomes.db"


def _build(database: Path, *arguments: str) -> None:
    main = "from loader.cli import main; main()"
    command = [sys.executable, "-c", main, "--db", str(database), "build", "--quiet", *arguments]
    environment = {**os.environ, "OUTCOMES_PROJECT": str(PROJECT)}
    subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium without anything open. It ends with the module: Playwright keeps an event loop running in the
    thread, beside which asyncio takes no other."""
    from sample import browser as driven

    if not driven.is_here():
        pytest.skip(driven.MISSING)
    with driven.chromium() as chromium:
        yield chromium


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Where the test's log is, or will be."""
    return tmp_path / "outcomes.db"


@pytest.fixture
def invoke(database: Path) -> Invoke:
    """Run the command line in this process; what it raises must be an exit code, not a traceback."""

    def run(*arguments: object, input: bytes | None = None) -> Result:
        result = CliRunner().invoke(main, ["--db", str(database), *map(str, arguments)], input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def start_loader(database: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Start the command line as a process of its own."""

    def start(*arguments: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", "from loader.cli import main; main()", "--db", database, *arguments]
        return subprocess.Popen(
            [str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    return start


@pytest.fixture
def query(database: Path) -> Query:
    """Rows of the log, by a connection that is closed again."""

    def rows(sql: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(database)) as connection:
            return connection.execute(sql, values).fetchall()

    return rows


@pytest.fixture
def line() -> Line:
    """One outcome as a JSON line; fields given as `...` are left out."""

    def render(**fields: Any) -> bytes:
        given = {name: value for name, value in {**PLAIN, **fields}.items() if value is not ...}
        return json.dumps(given, ensure_ascii=False).encode() + b"\n"

    return render


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real outcomes that `OUTCOMES_REAL_DATA` names; they are no part of the project."""
    folder = os.environ.get("OUTCOMES_REAL_DATA")
    if not folder:
        pytest.skip("OUTCOMES_REAL_DATA does not name the folder of the real data")
    return Path(folder)
