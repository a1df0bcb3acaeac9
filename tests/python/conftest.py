"""What tests of several subjects share: a log of their own, the command line, real data."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import filelock
import pytest
from click.testing import CliRunner, Result

from loader.cli import main

Query = Callable[..., list[tuple[Any, ...]]]
Invoke = Callable[..., Result]
Line = Callable[..., bytes]
Once = Callable[[str, Callable[[Path], object]], Path]
Function = TypeVar("Function", bound=Callable[..., Any])

TESTS = Path(__file__).resolve().parent
PROJECT = TESTS.parents[1]
FORKING = TESTS / "forking"
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
# Nearly every test there starts dbt. Elsewhere a fixture says so (`with_dbt`), or the test itself (the mark `dbt`).
DBT_FOLDERS = ("engines", "exploring", "parity", "stress", "warehouse")
# In the processes of a test without the mark, this comes before dbt's own modules: its adapters may be looked for.
GUARD = {
    "dbt/__init__.py": "from pkgutil import extend_path; __path__ = extend_path(__path__, __name__)",
    "dbt/cli/__init__.py": "open(__file__ + ' was imported', 'w').close(); raise ImportError('not in this test')",
}
GUARDED = pytest.StashKey[Path]()
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
    option = session.config.option
    if hasattr(session.config, "workerinput") or not getattr(option, "numprocesses", None):
        return
    if "not dbt" in option.markexpr:
        return
    import_dbt(session.config)
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "outcomes.db"
        _build(database, "--select", "+model_stats")
        result = database.with_name("outcomes.db.build") / "target" / "partial_parse.msgpack"
        if result.exists():  # dbt writes none if nothing has changed since
            shutil.copy(result, parsed(session.config))
    os.environ["DBT_PARTIAL_PARSE_FILE_PATH"] = str(parsed(session.config))


def import_dbt(config: pytest.Config) -> None:
    """Start the process whose forks are the dbt processes of the tests. It ends with this one. `FORKED_DBT=none` says
    that there is to be none."""
    if "FORKED_DBT" in os.environ:
        return
    folder = tempfile.mkdtemp(prefix="forks-")
    os.environ["FORKED_DBT"] = f"{folder}/socket"
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(FORKING), os.environ.get("PYTHONPATH")]))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.environ["FORKED_DBT"])
        listener.listen(16)
        number = listener.fileno()
        command = [sys.executable, str(FORKING / "imported.py"), str(number)]
        # The tests kill forks, which then leave semaphores: its tracker need not say so.
        environment = {**os.environ, "PYTHONWARNINGS": "ignore:resource_tracker"}
        process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[number], env=environment)

    def end() -> None:
        process.communicate()
        shutil.rmtree(folder)

    config.add_cleanup(end)


def python_path(*folders: Path) -> str:
    """Return a PYTHONPATH of folders, in whose processes dbt need not be imported again."""
    return os.pathsep.join(map(str, (FORKING, *folders)))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Import dbt once for the tests of a run that is not parallel, too, if they are more than a few."""
    count = sum(item.get_closest_marker("dbt") is not None for item in session.items)
    if count > 3 and not session.config.option.collectonly:
        import_dbt(session.config)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Let a test start dbt only if it has the mark, so that `make test-fast` stays fast."""
    if item.get_closest_marker("dbt"):
        return (yield)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        for name, text in GUARD.items():
            (Path(folder) / name).parent.mkdir(exist_ok=True)
            (Path(folder) / name).write_text(text)
        patch.setenv("PYTHONPATH", folder, prepend=os.pathsep)
        patch.delenv("FORKED_DBT", raising=False)  # a fork would not meet the guard
        item.stash[GUARDED] = Path(folder) / "dbt/cli/__init__.py was imported"
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Iterator[None]:
    with _guarded(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    with _guarded(item):
        return (yield)


@contextmanager
def _guarded(item: pytest.Item) -> Iterator[None]:
    """Fail a test that starts dbt without the mark, even if the test expects its command to fail."""
    try:
        yield
    finally:
        if GUARDED in item.stash and item.stash[GUARDED].exists():
            pytest.fail("this test starts dbt: give it the mark dbt, or its fixture @with_dbt", pytrace=False)


def parsed(config: pytest.Config) -> Path:
    """Return where the project lies as dbt parsed it. dbt parses again what has changed since."""
    return config.cache.mkdir("dbt") / "partial_parse.msgpack"


def with_dbt(fixture: Function) -> Function:
    """Say of a fixture that it starts dbt: a test that uses it gets the mark."""
    fixture.starts_dbt = True  # type: ignore[attr-defined]
    return fixture


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start dbt or a browser. Begin with the files that take longest, so that no worker has a long
    one left when the others are done."""
    for item in items:
        assert isinstance(item, pytest.Function)
        fixtures = item._fixtureinfo.name2fixturedefs
        starts_dbt = any(hasattr(each.func, "starts_dbt") for definitions in fixtures.values() for each in definitions)
        if starts_dbt or item.path.relative_to(TESTS).parts[0] in DBT_FOLDERS:
            item.add_marker("dbt")
        if "browser" in fixtures:
            item.add_marker("browser")
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
@with_dbt
def built_empty(once: Once) -> Path:
    """An empty log, built, beside which dbt's folder is; tests that change it take a copy."""
    return once("built empty", lambda folder: _build(folder / "outcomes.db")) / "outcomes.db"


@pytest.fixture(scope="session")
@with_dbt
def made_sample(once: Once) -> Path:
    """A folder with `data`, that of the sample, to copy and not to change; `output.txt`, what making it printed; and
    `made`, the place where it was made."""

    def fill(folder: Path) -> None:
        (folder / "made").mkdir()
        (folder / "output.txt").write_text(make_sample(folder / "made"))
        shutil.copytree(folder / "made" / "data", folder / "data", symlinks=True)

    return once("sample", fill)


def make_sample(folder: Path) -> str:
    """Return what making the sample in a folder prints."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OUTCOMES_")}
    done = subprocess.run(
        [sys.executable, "-m", "sample"],
        cwd=folder,
        env={**kept, "PYTHONPATH": python_path(PROJECT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


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
