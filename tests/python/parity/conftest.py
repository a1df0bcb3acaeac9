"""One log with something of everything in it, and one project that builds it on every engine, its `now` fixed."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from model_outcomes.answers.queries import Answer
from model_outcomes.base import paths
from model_outcomes.intake import legacy
from model_outcomes.log import store
from model_outcomes.warehouse import marts
from sample import files, world
from tests.python.engines.test_scalar_macros import CASES
from tests.python.federation.conftest import ROW, export_text
from tests.python.uok.conftest import TABLE, Orchestrator, unit

from . import servers

ROOT = Path(__file__).parents[3]
LAST_DAY = date(2026, 4, 30)
NOW = "2026-05-01T08:00:00Z"
TRIAL = world.TRIAL
EXPERIMENTS = (
    "experiment_id,task_type,incumbent_model_id,challenger_model_id,started_at,ended_at,challenger_share\n"
    f"{TRIAL.experiment_id},{TRIAL.task_type},{TRIAL.incumbent},{TRIAL.challenger},2026-01-01,,0.5\n"
    "paired,review_code,aurora-large,aurora-small,2026-02-01T00:00:00+02:00,2026-04-25T12:00,\n"
    "everywhere,,cirrus-pro,aurora-large,2026-03-01,,0.4\n"
    "nobody,edit_code,never-tried,neither,2026-03-01,,\n"
)
# One is surely worse than its leader, one has rivals that are surely worse; the other task types have none.
INCUMBENTS = "task_type,model_id\nfix_tests,aurora-small\nreview_code,aurora-large\n"
ASK = """
import json, sys
from pathlib import Path
from loader.connections import built_on
from model_outcomes.answers.queries import rows
_, database, target, *names = sys.argv
with built_on(target, Path(database)) as connection:
    print(json.dumps({name: rows(connection, f"select * from {name}") for name in names}))
"""
# Where dbt's own macros differ, or an engine refuses what SQLite takes for null, no dbt model depends on it.
SCALARS = [(call, value) for call, value in CASES if not call.startswith(("dbt.", "'typeof")) and "no time" not in call]


@pytest.fixture(scope="module")
def spark_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Cluster]:
    cluster = servers.Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield cluster
    finally:
        cluster.stop()


@dataclass
class Log:
    """An SQLite log, the project that builds it, and what else the engines need to know."""

    database: Path
    project: Path
    environment: dict[str, str] = field(default_factory=dict)
    python: str = sys.executable

    def loader(self, *arguments: object, check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            [self.python, "-c", "from loader.cli import main; main()", *map(str, arguments)],
            env=self._environment(), cwd=self.database.parent, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return done

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", "from loader.cli import main; main()", *arguments], env=self._environment(),
            cwd=self.database.parent, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip

    def said(self, target: str) -> str:
        """dbt's log of the builds on an engine."""
        path = paths.build_folder(self.database, target) / "logs" / "dbt.log"
        return path.read_text() if path.exists() else ""

    def build(self, target: str = "sqlite", *arguments: str) -> None:
        self.loader("build", "--target", target, *arguments)

    def export(self, target: str) -> None:
        self.loader("export-log", "--to", "postgres" if target == "postgres" else "parquet")

    @property
    def marts(self) -> list[marts.Mart]:
        return marts.read(self.database)

    def answers(self, target: str, relations: Iterable[str]) -> dict[str, Answer]:
        """All rows of tables and views, by name; asked in another process, as Spark's metastore knows one at a time."""
        names = list(relations)
        done = subprocess.run(
            [sys.executable, "-c", ASK, str(self.database), target, *names], env=self._environment(),
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]
        found: dict[str, Answer] = json.loads(done.stdout)
        return found

    def verdicts(self, model_id: str) -> Iterator[str]:
        """Yield the verdict of each outcome of a model: that of its latest correction, or the recorded one."""
        with closing(sqlite3.connect(self.database)) as connection:
            recorded = dict(
                connection.execute(
                    "select id, iif(success, 'success', 'failure') from model_outcomes where model_id = ?", (model_id,)
                )
            )
            corrections = connection.execute(
                "select outcome_id, verdict from outcome_corrections order by correction_id"
            )
            latest = dict(corrections.fetchall())
        yield from (latest.get(number, verdict) for number, verdict in recorded.items())

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **self.environment, "OUTCOMES_DB": str(self.database),
                "OUTCOMES_PROJECT": str(self.project)}  # fmt: skip


def copy_of_project(project: Path) -> Path:
    """The dbt project, its `now` fixed and its experiments declared."""
    for name in ("models", "macros", "seeds", "workspace", "tests/generic"):
        shutil.copytree(ROOT / name, project / name)
    for name in ("profiles.yml", ".dbtignore"):
        shutil.copy(ROOT / name, project)
    settings = (ROOT / "dbt_project.yml").read_text()
    assert '\n  now: ""\n' in settings
    (project / "dbt_project.yml").write_text(settings.replace('\n  now: ""\n', f'\n  now: "{NOW}"\n'))
    (project / "workspace" / "seeds" / "ab_experiments.csv").write_text(EXPERIMENTS)
    (project / "workspace" / "seeds" / "incumbents.csv").write_text(INCUMBENTS)
    calls = ",\n".join(f"{{{{ {call} }}}} as case_{number}" for number, (call, _) in enumerate(SCALARS))
    (project / "models" / "scalar_cases.sql").write_text(f"select\n{calls}\n")
    return project


def take_in_sample(log: Log, part: str) -> None:
    """The sample in two parts, `first` and `rest`: the second has rows of days that the first one knows."""
    folder = log.database.parent / "sample"
    if part == "first":
        files.write(folder, LAST_DAY)
        lines = (folder / files.AGENTS).read_text().splitlines(keepends=True)
        (folder / "first.jsonl").write_text("".join(lines[:12_000] + lines[12_003::3]))
        log.loader("load", "--max-rejects", 9, folder / "first.jsonl")
        log.loader("import-legacy", folder / files.LEGACY)
    else:
        log.loader("load", "--max-rejects", 9, folder / files.AGENTS, folder / files.EVALUATION)
    correct(log, seed=len(part))


def correct(log: Log, seed: int) -> None:
    """5,000 corrections of random outcomes: half of them of few outcomes, which so have several."""
    draw = random.Random(seed)
    with closing(sqlite3.connect(log.database)) as connection, connection:
        ids = [outcome_id for (outcome_id,) in connection.execute("select id from model_outcomes order by id")]
        connection.executemany(
            "insert into outcome_corrections (outcome_id, verdict) values (?, ?)",
            [(draw.choice(ids if number % 2 else ids[::50]), draw.choice(["success", "failure", "void"]))
             for number in range(5_000)],
        )  # fmt: skip


def take_in_limits(log: Log) -> None:
    """5,000 outcomes of one cell, each at the upper limit of every column: twice that is more than 64 bits hold."""
    with closing(sqlite3.connect(log.database)) as connection, connection:
        connection.executemany(
            "insert into model_outcomes (task_type, model_id, success, tokens_used, cost_usd, timestamp, duration_ms,"
            " input_tokens, output_tokens) values ('limits', 'dear', ?, 1000000000000, 1000000.0, ?, 1000000000000,"
            " 1000000000000, 1000000000000)",
            ((number % 2, f"2026-04-01T{number % 24:02}:00:00Z") for number in range(5_000)),
        )


def take_in_repeats(log: Log, seed: int) -> None:
    """One to four tries of 40 tasks, easy and hard, by two models in two agents, one of them with two efforts."""
    draw = random.Random(seed)
    rows = [
        (model_id, f"task-{task}", effort, agent, int(draw.random() < task / 40))
        for model_id, effort in (("aurora-large", "high"), ("aurora-large", None), ("cirrus-pro", None))
        for agent in ("rig", "yard")
        for task in range(40)
        for _ in range(draw.randint(1, 4))
    ]
    with closing(sqlite3.connect(log.database)) as connection, connection:
        connection.executemany(
            "insert into model_outcomes (task_type, model_id, task_id, effort, agent, success, timestamp)"
            " values ('fix_bug', ?, ?, ?, ?, ?, '2026-04-02T12:00:00Z')",
            rows,
        )


def take_in_balances(log: Log) -> None:
    """200 opening balances of the same cell, each at the upper limit of a file."""
    cell = {"successes": 10, "failures": 0, "totalTokens": 10**15, "totalCost": 10**8}
    folder = log.database.with_name("balances")
    folder.mkdir()
    with closing(store.open_to_change(log.database)) as connection:
        for number in range(200):
            path = folder / f"{number}.json"
            path.write_text(json.dumps({"limits": {"dear": {**cell, "successes": 10 + number}}}))
            legacy.import_file(connection, path)


def take_in_others(log: Log) -> None:
    """What the orchestrator knows, and what other projects tell; it takes a build before."""
    uok = Orchestrator(log.database.with_name("uok.db"))
    uok.execute(TABLE)
    uok.add([unit(number) for number in range(300)])
    log.loader("sync-uok", uok.path)
    for number, successes in enumerate((40, 25, 48)):
        told = log.database.with_name(f"other-{number}.jsonl")
        cells = [{**ROW, "task_type": "edit_code", "model_id": name, "successes": successes}
                 for name in ("aurora-large", "cirrus-pro", "nobody-here")]  # fmt: skip
        told.write_bytes(export_text(*cells, project=f"{number:032}"))
        log.loader("import-federated", told)
    log.loader("export-federated", "--until", "2026-02-28", "-o", log.database.with_name("told.jsonl"))


@pytest.fixture(scope="module")
def sample_logs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Log, Log]:
    """The sample as SQLite has built it, when its first part was there and when all of it was."""
    folder = tmp_path_factory.mktemp("sample")
    first = Log(folder / "first.db", copy_of_project(folder / "project"))
    take_in_sample(first, "first")
    take_in_limits(first)
    take_in_balances(first)
    take_in_repeats(first, seed=1)
    first.build()
    take_in_others(first)
    whole = Log(folder / "outcomes.db", first.project)
    shutil.copy(first.database, whole.database)
    take_in_sample(whole, "rest")
    take_in_limits(whole)
    take_in_repeats(whole, seed=2)
    whole.build()
    return first, whole


@pytest.fixture(scope="module")
def postgres_dsn() -> Iterator[str]:
    with servers.postgres() as dsn:
        yield dsn


@pytest.fixture(scope="module")
def engine_environment(request: pytest.FixtureRequest) -> Callable[[str, Path], dict[str, str]]:
    """What `loader` has to know to build on an engine in a folder; starts the engine's server."""

    def environment(target: str, folder: Path) -> dict[str, str]:
        known = {"OUTCOMES_PARQUET": str(folder / f"parquet for {target}")}
        if target == "postgres":
            return known | {"OUTCOMES_POSTGRES": request.getfixturevalue("postgres_dsn")}
        if target == "spark":
            cluster = request.getfixturevalue("spark_cluster")
            return known | {
                "OUTCOMES_SPARK": str(folder / "spark"), "OUTCOMES_SPARK_MASTER": cluster.master_url,
                "OUTCOMES_SPARK_MEMORY": "1g", **servers.SHORT_LIVED,
            }  # fmt: skip
        return known | {"OUTCOMES_DUCKDB": str(folder / "duckdb.db")}

    return environment
