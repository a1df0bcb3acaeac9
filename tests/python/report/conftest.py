"""Reports of logs that the project built, opened in a real browser that has no network."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from model_outcomes.base import clock
from model_outcomes.publish import report

from ..conftest import Once, with_dbt

PROJECT = Path(__file__).parents[3]
DAY = datetime.now(timezone.utc).replace(hour=12) - timedelta(days=1)
PATIENCE = 120_000  # milliseconds until a test gives up

# What a name may be, which comes from outside: each would do something somewhere, were it not taken for text.
HOSTILE = [
    "</script><script>document.title='x'</script>",
    '"><img src=x onerror="document.title=\'x\'">',
    "<svg onload=document.title='x'>",
    '=HYPERLINK("https://x.invalid","y")',
    "{{ 7 * 7 }}${7 * 7}",
    "__proto__",
    "constructor",
    "\u202egnp.exe",
    "\u05de\u05d5\u05d3\u05dc-\u05d2\u05d3\u05d5\u05dc",
    "datum['x']\\\"'",
    "n" * 150 + "o" * 150,
]


class Log:
    """A database, the dbt project that built it, and its report."""

    def __init__(self, folder: Path, project: Path = PROJECT) -> None:
        self.folder, self.project = folder, project
        self.database = folder / "outcomes.db"
        self.page = folder / "report.html"

    def loader(self, *arguments: object) -> str:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OUTCOMES_")}
        done = subprocess.run(
            [sys.executable, "-c", "from loader.cli import main; main()", *map(str, arguments)],
            env={**kept, "OUTCOMES_PROJECT": str(self.project), "OUTCOMES_DB": str(self.database)},
            cwd=self.folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def load(self, outcomes: list[dict[str, Any]]) -> None:
        file = self.folder / "outcomes.jsonl"
        file.write_text("".join(json.dumps(each) + "\n" for each in outcomes), encoding="utf-8")
        self.loader("load", file)

    def built(self) -> "Log":
        """Itself, after a build, with its report."""
        self.loader("build", "--quiet")
        self.loader("report", "-o", self.page)
        return self

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(sql, values).fetchall()


def attempts(
    task_type: str, model_id: str, trials: int, successes: int, days: int = 10, **fields: Any
) -> list[dict[str, Any]]:
    """Return so many outcomes, over the days up to yesterday."""
    return [
        {"task_type": task_type, "model_id": model_id, "success": number < successes, "cost_usd": 0.01 + number / 1e4,
         "timestamp": (DAY - timedelta(days=number % days)).isoformat(), **fields}
        for number in range(trials)
    ]  # fmt: skip


@pytest.fixture(scope="session")
def sample(once: Once, made_sample: Path) -> Log:
    """The generated sample."""

    def fill(folder: Path) -> None:
        shutil.copytree(made_sample / "data", folder / "data", symlinks=True)
        of_sample(folder).loader("report", "-o", of_sample(folder).page)

    return of_sample(once("reported sample", fill))


def of_sample(folder: Path) -> Log:
    log = Log(folder)
    log.database = folder / "data" / "sample.db"
    return log


@pytest.fixture(scope="session")
@with_dbt
def strange(once: Once) -> Log:
    """Hostile names everywhere, a task type of one model, one of thirty, one in which nobody ever fails."""

    def fill(folder: Path) -> None:
        project = folder / "project"
        ignored = shutil.ignore_patterns(".*", "python", "target", "logs", "data", "runs", "benchmarks")
        shutil.copytree(PROJECT, project, ignore=ignored)
        (project / "workspace" / "seeds" / "ab_experiments.csv").write_text(
            "experiment_id,task_type,incumbent_model_id,challenger_model_id,started_at,ended_at,challenger_share\n"
            '"<img src=x onerror=document.title=""x"">",many,model-00,model-29,2026-01-01,2026-01-01,0.5\n'
        )
        log = Log(folder, project)
        outcomes = []
        for number, name in enumerate(HOSTILE):
            outcomes += attempts("hostile", name, 40 + number, 40 - 3 * number)
            outcomes += attempts(name, "plain", 5, 4) + attempts(name, name, 5, 1)
        for number in range(30):
            outcomes += attempts("many", f"model-{number:02}", 8 + 2 * number, 6 + number)
        outcomes += attempts("many", "model-00", 200, 60, experiment_id='<img src=x onerror=document.title="x">')
        outcomes += attempts("many", "model-29", 200, 180, experiment_id='<img src=x onerror=document.title="x">')
        outcomes += attempts("alone", "only", 40, 30)
        outcomes += [each for name, wins in (("good", 380), ("fair", 250), ("poor", 100))
                     for each in attempts("clear", name, 400, wins, days=20)]  # fmt: skip
        outcomes += [each for name in "abc" for each in attempts("flawless", name, 50, 50)]
        log.load(outcomes)
        log.built()

    folder = once("strange", fill)
    return Log(folder, folder / "project")


@pytest.fixture(scope="session")
@with_dbt
def one_day(once: Once) -> Log:
    """Evals as they are run: at `yesterday` and `today` each model was tried on one day; at `apart` each on another."""

    def fill(folder: Path) -> None:
        log = Log(folder)
        outcomes = []
        for task_type, first, second in (("yesterday", 0, 0), ("today", -1, -1), ("apart", 2, 0)):
            for model, trials, wins, back in (("challenger", 60, 54, first), ("incumbent", 100, 50, second)):
                at: dict[str, Any] = {
                    "timestamp": min(DAY - timedelta(days=back), datetime.now(timezone.utc)).isoformat()
                }
                outcomes += attempts(task_type, model, trials, wins, **at)
        log.load(outcomes)
        log.built()

    return Log(once("one day", fill))


@pytest.fixture(scope="session")
def empty(built_empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Log:
    """A log without an outcome."""
    log = Log(tmp_path_factory.mktemp("empty"))
    shutil.copy(built_empty, log.database)
    log.loader("report", "-o", log.page)
    return log


def multiplied(sample: Log, folder: Path, cells: list[tuple[str, str]], days: int = 90) -> Log:
    """The sample's marts of one task type as those of many cells, each with so many days, and their report."""
    log = Log(folder)
    names = [name for (name,) in sample.query("select model_id from model_rankings where task_type = 'edit_code'")]
    with closing(sqlite3.connect(log.database, isolation_level=None)) as connection:
        connection.execute("attach ? as sample", (str(sample.database),))
        connection.execute("create table cells (task_type, model_id, source)")
        connection.execute("begin")
        connection.executemany(
            "insert into cells values (?, ?, ?)",
            [(task, model, names[number % len(names)]) for number, (task, model) in enumerate(cells)],
        )
        for mart in (
            "model_stats",
            "model_rankings",
            "model_daily_trends",
            "model_failures",
            "demotion_candidates",
            "ab_test_candidates",
        ):
            columns = [row[1] for row in connection.execute(f"pragma sample.table_info({mart})")]
            chosen = {"task_type": "cells.task_type", "model_id": "cells.model_id"}
            taken = ", ".join(f"{chosen.get(name, f'mart.{name}')} as {name}" for name in columns)
            since = "(select date(max(outcome_date), ?) from sample.model_daily_trends)"
            connection.execute(
                f"create table {mart} as select {taken} from sample.{mart} as mart"
                " inner join cells on mart.model_id = cells.source and mart.task_type = 'edit_code'"
                + (f" where outcome_date > {since}" if mart == "model_daily_trends" else ""),
                (f"-{days} days",) if mart == "model_daily_trends" else (),
            )
        connection.execute(
            "update model_rankings set rank = place from (select task_type, model_id, row_number() over"
            " (partition by task_type order by rank, model_id) as place from model_rankings where rank is not null)"
            " as placed where placed.task_type = model_rankings.task_type and placed.model_id = model_rankings.model_id"
        )
        for mart in ("ab_comparisons", "ab_comparison_days"):
            columns = [row[1] for row in connection.execute(f"pragma sample.table_info({mart})")]
            chosen = {"experiment_id": "'leader:' || tasks.task_type", "task_type": "tasks.task_type"}
            taken = ", ".join(f"{chosen.get(name, f'mart.{name}')} as {name}" for name in columns)
            connection.execute(
                f"create table {mart} as select {taken} from sample.{mart} as mart"
                " cross join (select distinct task_type from cells) as tasks where experiment_id = 'dune-at-fix-tests'"
            )
        columns = [row[1] for row in connection.execute("pragma sample.table_info(recommendations)")]
        taken = ", ".join("tasks.task_type" if name == "task_type" else f"mart.{name}" for name in columns)
        connection.execute(
            f"create table recommendations as select {taken} from sample.recommendations as mart"
            " cross join (select distinct task_type from cells) as tasks where mart.task_type = 'edit_code'"
        )
        connection.execute("commit")
        report.save(report.render(report.gather(connection), clock.utc_now()), log.page)
    return log


@pytest.fixture(scope="session")
def large(sample: Log, tmp_path_factory: pytest.TempPathFactory) -> Log:
    """50 task types of 30 models, each with its 90 days."""
    cells = [(f"a-task-type-{task:02}", f"provider/some-model-{model:02}") for task in range(50) for model in range(30)]
    return multiplied(sample, tmp_path_factory.mktemp("large"), cells)


@pytest.fixture(scope="session")
def many_models(sample: Log, tmp_path_factory: pytest.TempPathFactory) -> Log:
    """10,000 models at one task type, with long names."""
    cells = [("code", f"a-provider/some-model-with-a-very-long-name-that-nobody-reads-{n:05}") for n in range(10_000)]
    return multiplied(sample, tmp_path_factory.mktemp("models"), cells, 20)


@pytest.fixture(scope="session")
def many_task_types(sample: Log, tmp_path_factory: pytest.TempPathFactory) -> Log:
    """10,000 task types of one model, with long names."""
    cells = [(f"a-task-type-with-a-very-long-name-that-nobody-reads-{n:05}", "only") for n in range(10_000)]
    return multiplied(sample, tmp_path_factory.mktemp("types"), cells, 20)


class Opened:
    """A report in the browser, and all that it complained of or asked for."""

    def __init__(self, page: Page, path: Path) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda fault: self.complaints.append(str(fault)))
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.on("request", lambda request: self.requests.append(request.url))
        page.set_default_timeout(PATIENCE)
        page.goto(path.as_uri())
        self.drawn()

    def drawn(self) -> None:
        self.page.wait_for_selector("html[data-drawn=yes]", state="attached")

    def choose(self, task_type: str | None = None, period: str | None = None) -> None:
        """Set a filter; period is in days, or 0."""
        self.page.evaluate("document.documentElement.dataset.drawn = 'no'")
        if task_type is not None:
            self.page.locator("#task-type").select_option(label=task_type)
        if period is not None:
            self.page.locator("#period").select_option(period)
        self.drawn()

    def rows(self, selector: str) -> list[list[str]]:
        """The visible cells of a table's body, as text."""
        return self.page.locator(selector).evaluate(
            "table => [...table.tBodies[0].rows].filter(row => !row.hidden)"
            ".map(row => [...row.cells].map(cell => cell.textContent.trim()))"
        )

    def marks(self, chart: str, kind: str = "symbol") -> int:
        """How many marks a chart has, its legend aside."""
        return self.page.locator(f"#{chart} svg g.mark-{kind}.role-mark > path").count()


Open = Callable[..., Opened]


@pytest.fixture
def open_report(browser: Browser) -> Iterator[Open]:
    """Open a report without any network; whatever a test does with it, it complains of nothing, and asks for
    nothing but itself."""
    opened: list[Opened] = []
    contexts = []

    def open_(path: Path, **options: Any) -> Opened:
        context = browser.new_context(offline=True, **{"viewport": {"width": 1200, "height": 900}, **options})
        contexts.append(context)
        opened.append(Opened(context.new_page(), path))
        return opened[-1]

    yield open_
    for context in contexts:
        context.close()
    assert [complaint for each in opened for complaint in each.complaints] == []
    assert {url.partition(":")[0] for each in opened for url in each.requests} == {"file"}
    assert all(len(each.requests) == 1 for each in opened)
