"""A build is skipped only if nothing that it reads, and nothing that it wrote, has changed since the last good one."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timedelta, timezone
from importlib import metadata
from pathlib import Path

import pytest

from model_outcomes.base import clock
from model_outcomes.log import store
from model_outcomes.warehouse import last_build, workspace
from model_outcomes.warehouse.engines import log_tables

PROJECT = Path(__file__).resolve().parents[3]
OUTCOME = """
insert into model_outcomes (task_type, model_id, success, timeout, tokens_used, cost_usd, timestamp)
values ('code', 'able', 1, 0, 10, 0.1, '2026-03-01T12:00:00Z')
"""
CORRECTION = "insert into outcome_corrections (outcome_id, verdict) values (1, 'failure')"
IMPORT = """
insert into federated_imports (project, export_window, as_of, licence, epsilon, row_count, rows_sha256, source,
    imported_at)
values (printf('%032d', 1), '2026-01', '2026-02-01T00:00:00Z', 'CC0-1.0', null, 0, printf('%064d', 1), 'f.json',
    '2026-02-01T00:00:00Z')
"""
LOAD = "insert into load_history (source, format, start_offset, end_offset, end_line, head_bytes, head_sha256," \
    " tail_sha256, started_at) values ('x', 'legacy', 0, 0, 0, 0, '', '', '2026-02-01T00:00:00Z')"  # fmt: skip
LEGACY = """
insert into legacy_model_stats (load_id, task_type, model_id, successes, failures, timeouts, total_tokens,
    total_cost_nano_usd)
values (1, 'code', 'able', 1, 0, 0, 0, 0)
"""
UNIT = """
insert into llm_task_outcomes (model_id, unit_type, unit_id, succeeded, recorded_at, load_id)
values ('able', 'code', 'u1', 1, 1772366400000, 1)
"""


class Place:
    """A log with a mart as if it had been built, the project that built it, and the user's workspace."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.database, self.project = folder, folder / "outcomes.db", folder / "project"
        self.target = folder / "outcomes.db.build" / "target"
        (self.project / "models").mkdir(parents=True)
        (self.project / "dbt_project.yml").write_text("name: model_outcomes\n")
        (self.project / "models" / "mart.sql").write_text("select 1 as trials")
        shutil.copytree(PROJECT / workspace.FOLDER, self.project / workspace.FOLDER)
        workspace.create(folder / "mine", self.project)
        self.target.mkdir(parents=True)
        self.put_manifest(log_tables.LOG)
        with closing(store.create_or_open(self.database)) as log:
            log.execute("create table mart (trials integer)")
            log.execute("insert into mart values (1)")
            log.execute(LOAD)
            log.execute(OUTCOME)

    def put_manifest(self, *sources: str) -> None:
        listed = {f"source.x.{name}": {"identifier": name} for name in sources}
        (self.target / "manifest.json").write_text(json.dumps({"sources": listed}))

    def build(self, statuses: set[str] | None = None, during: Callable[[], object] = lambda: None) -> None:
        """Do as a build does, but for dbt."""
        with closing(store.create_or_open(self.database)) as connection:
            watch = last_build.Watch(connection, self.database, "sqlite")
            watch.is_current(self.project, {})
            watch.begin()
            during()
            watch.end({"success", "pass"} if statuses is None else statuses)
            watch.note()

    def is_current(self, vars: dict[str, object] | None = None, target: str = "sqlite") -> bool:
        with closing(store.create_or_open(self.database)) as connection:
            return last_build.Watch(connection, self.database, target).is_current(self.project, vars or {})

    def write(self, sql: str) -> None:
        """From another process: a client that knows nothing of the loader."""
        script = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()"
        subprocess.run([sys.executable, "-c", script, self.database, sql], check=True)

    def replace_file(self) -> None:
        shutil.copy2(self.database, copy := self.folder / "backup.db")
        copy.replace(self.database)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    made = Place(tmp_path)
    monkeypatch.setenv("OUTCOMES_WORKSPACE", str(tmp_path / "mine"))
    made.build()
    assert made.is_current()
    return made


def test_readers_leave_a_build_current(place: Place) -> None:
    with closing(store.open_existing(place.database)) as reader:
        assert reader.execute("select count(*) from mart").fetchone() == (1,)
        assert place.is_current()
    assert place.is_current()


@pytest.mark.parametrize(
    "statement",
    [OUTCOME, IMPORT, LEGACY, UNIT, "update mart set trials = 2", "delete from mart", "drop table mart",
     "create index by_hand on mart (trials)", "update load_history set end_line = 1", "vacuum"],
    ids=lambda statement: " ".join(statement.split()[:3]),
)  # fmt: skip
@pytest.mark.parametrize("has_reader", [False, True])
def test_any_commit_by_anyone_makes_a_build_needed(place: Place, statement: str, has_reader: bool) -> None:
    """With another connection open, the commit stays in the WAL."""
    with closing(sqlite3.connect(place.database)) as other:
        if has_reader:
            other.execute("select 1 from mart").fetchone()
        place.write(statement)
        assert not place.is_current()


def test_a_replaced_or_restored_file_makes_a_build_needed(place: Place) -> None:
    place.replace_file()
    assert not place.is_current()


def test_a_changed_file_of_the_product_makes_a_build_needed(place: Place) -> None:
    (place.project / "models" / "mart.sql").write_text("select 2 as trials")
    assert not place.is_current()


def test_a_new_file_of_the_product_makes_a_build_needed(place: Place) -> None:
    (place.project / "tests").mkdir()
    (place.project / "tests" / "assert.sql").write_text("select 1")
    assert not place.is_current()


def test_a_changed_seed_makes_a_build_needed(place: Place) -> None:
    seed = place.folder / "mine" / "seeds" / "incumbents.csv"
    seed.write_text(seed.read_text() + "code,able\n")
    assert not place.is_current()


def test_another_workspace_makes_a_build_needed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.create(place.folder / "other", place.project)
    seed = place.folder / "other" / "seeds" / "incumbents.csv"
    seed.write_text(seed.read_text() + "code,able\n")
    monkeypatch.setenv("OUTCOMES_WORKSPACE", str(place.folder / "other"))
    assert not place.is_current()


def test_other_vars_make_a_build_needed(place: Place) -> None:
    assert not place.is_current({"alpha": 0.1})


@pytest.mark.parametrize("package", ["dbt-core", "dbt-sqlite", "model-outcomes"])
def test_another_version_makes_a_build_needed(place: Place, monkeypatch: pytest.MonkeyPatch, package: str) -> None:
    version = metadata.version
    monkeypatch.setattr(metadata, "version", lambda name: "99.0" if name == package else version(name))
    assert not place.is_current()


def test_the_next_utc_day_makes_a_build_needed(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    today = datetime.now(timezone.utc)
    monkeypatch.setattr(clock, "utc_now", lambda: today.replace(hour=23, minute=59, second=59))
    assert place.is_current()
    monkeypatch.setattr(clock, "utc_now", lambda: today + timedelta(days=1))
    assert not place.is_current()


@pytest.mark.parametrize("variable", ["DBT_WARN_ERROR", "DBT_FULL_REFRESH"])
def test_a_variable_of_dbt_makes_a_build_needed(place: Place, monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "true")
    assert not place.is_current()


def test_a_full_refresh_by_a_variable_of_dbt_always_builds(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_FULL_REFRESH", "true")
    place.build()
    assert not place.is_current()


def test_a_lost_manifest_makes_a_build_needed(place: Place) -> None:
    (place.target / "manifest.json").unlink()
    assert not place.is_current()


def test_other_engines_always_build(place: Place) -> None:
    """Even where a note lies, as nobody could know that it is right."""
    folder = place.folder / "outcomes.db.duckdb.build"
    shutil.copytree(place.target.parent, folder)
    assert not place.is_current(target="duckdb")


def test_own_models_of_the_user_always_build(place: Place) -> None:
    """They may read the clock."""
    (place.folder / "mine" / "models" / "own.sql").write_text("select datetime('now') as built_at")
    place.build()
    assert not place.is_current()


def test_a_project_with_other_sources_always_builds(place: Place) -> None:
    place.put_manifest(log_tables.LOG, "run_history")
    place.build()
    assert not place.is_current()


@pytest.mark.parametrize("statuses", [{"success", "warn"}, {"success", "fail"}, {"success", "skipped"}])
def test_a_build_that_was_not_good_is_done_again(place: Place, statuses: set[str]) -> None:
    place.build(statuses)
    assert not place.is_current()


def test_a_build_that_did_not_end_is_done_again(place: Place) -> None:
    with pytest.raises(KeyboardInterrupt):
        place.build(during=lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    assert not place.is_current()


@pytest.mark.parametrize(
    "statement", [OUTCOME, CORRECTION, IMPORT, LEGACY, UNIT], ids=["log", "correction", "import", "legacy", "unit"]
)
def test_rows_that_come_during_a_build_are_built_next(place: Place, statement: str) -> None:
    place.build(during=lambda: place.write(statement))
    assert not place.is_current()
    place.build()
    assert place.is_current()


def test_a_reader_of_old_rows_at_the_end_of_a_build_leaves_the_next_one_to_build(place: Place) -> None:
    """SQLite then cannot bring all commits into the file, whose state says nothing."""
    script = (
        "import sqlite3, sys; reader = sqlite3.connect(sys.argv[1], isolation_level=None); reader.execute('begin');"
        "reader.execute('select * from mart').fetchall(); print('reads', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(place.database)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        reader.stdout.readline()
        place.build(during=lambda: place.write("insert into mart values (2)"))
        assert not place.is_current()
        reader.communicate("")
    place.build()
    assert place.is_current()


def test_a_run_writes_its_own_history_and_stays_current(place: Place) -> None:
    for number in range(2):
        with closing(store.create_or_open(place.database)) as connection:
            watch = last_build.Watch(connection, place.database, "sqlite")
            connection.execute(
                "insert into run_history (run_id, started_at, status, target) values (?, 'x', 'running', 'sqlite')",
                (f"20260101T00000{number}.000Z",),
            )
            assert watch.is_current(place.project, {})
            connection.execute("update run_history set status = 'succeeded'")
            watch.note()
    assert place.is_current()


@pytest.mark.parametrize(
    "statement", [OUTCOME, CORRECTION, IMPORT, LEGACY, UNIT], ids=["log", "correction", "import", "legacy", "unit"]
)
def test_rows_that_a_run_itself_loads_make_a_build_needed(place: Place, statement: str) -> None:
    with closing(store.create_or_open(place.database)) as connection:
        watch = last_build.Watch(connection, place.database, "sqlite")
        connection.execute(statement)
        assert not watch.is_current(place.project, {})
        watch.note()
    assert not place.is_current()


def test_a_commit_of_another_program_during_a_run_makes_a_build_needed(place: Place) -> None:
    with closing(store.create_or_open(place.database)) as connection:
        watch = last_build.Watch(connection, place.database, "sqlite")
        place.write("update mart set trials = 2")
        assert not watch.is_current(place.project, {})
    place.build()
    with closing(store.create_or_open(place.database)) as connection:
        watch = last_build.Watch(connection, place.database, "sqlite")
        assert watch.is_current(place.project, {})
        place.write("update mart set trials = 3")
        watch.note()
    assert not place.is_current()


def test_a_file_system_without_fine_times_leaves_every_build_to_be_done(place: Place) -> None:
    os.utime(place.database, ns=(0, 1_700_000_000 * 10**9))
    assert last_build._state(place.database) is None


@pytest.mark.parametrize(
    ("statement", "is_current"),
    [(OUTCOME, True), ("delete from mart", True), ("drop view live", False), ("create view more as select 1", False)],
)
def test_views_are_built_again_if_one_of_their_definitions_has_changed(
    place: Place, statement: str, is_current: bool
) -> None:
    place.write("create view live as select * from mart")
    place.build()
    place.write(statement)
    assert not place.is_current()
    with closing(store.create_or_open(place.database)) as connection:
        watch = last_build.Watch(connection, place.database, "sqlite")
        assert not watch.is_current(place.project, {})
        assert watch.has_current_views == is_current
        assert not watch.is_current(place.project, {"alpha": 0.1})
        assert not watch.has_current_views
    place.build({"success", "fail"})
    with closing(store.create_or_open(place.database)) as connection:
        watch = last_build.Watch(connection, place.database, "sqlite")
        assert not watch.is_current(place.project, {})
        assert not watch.has_current_views, "the build before has failed"


def test_dbt_models_know_the_time_only_by_the_day() -> None:
    """Otherwise a build of the same rows later on the same day would differ."""
    clocks = ("run_started_at", "current_timestamp", "'now'", "modules.datetime", "invocation_id")
    files = [*PROJECT.glob("models/**/*.sql"), *PROJECT.glob("macros/**/*.sql"), *PROJECT.glob("tests/generic/*.sql")]
    for path in files:
        if "engines" not in path.parts:
            text = path.read_text().replace("run_started_at.strftime('%Y-%m-%d')", "")
            assert [word for word in clocks if word in text] in ([], ["'now'"]), path
            assert "'now'" not in text.replace("var('now')", "").replace("'now' as name", ""), path
    assert len(files) > 100
