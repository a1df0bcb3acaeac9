"""The file of the log: made where it is missing, refused untouched where it is not one."""

import sqlite3
from collections.abc import Callable
from contextlib import closing, nullcontext
from pathlib import Path
from unittest.mock import Mock

import pytest

from model_outcomes.log import store

TABLES = [
    "federated_draws",
    "federated_export_rows",
    "federated_exports",
    "federated_identity",
    "federated_import_rows",
    "federated_imports",
    "federated_names",
    "inbox_files",
    "legacy_model_stats",
    "llm_task_outcomes",
    "load_history",
    "model_outcomes",
    "outcome_corrections",
    "rejected_outcomes",
    "run_history",
]


def test_init_makes_the_file_and_its_folder(invoke, database: Path, tmp_path: Path, query) -> None:
    database = tmp_path / "new" / "folder" / "log.db"
    result = invoke("--db", database, "init")
    assert (result.exit_code, str(database) in result.stdout) == (0, True)
    with closing(sqlite3.connect(database)) as connection:
        names = connection.execute("select name from sqlite_master where type = 'table' order by name").fetchall()
        assert [name for (name,) in names if not name.startswith("sqlite_")] == TABLES
        assert connection.execute("pragma user_version").fetchone() == (store.SCHEMA_VERSION,)
        assert connection.execute("pragma journal_mode").fetchone() == ("wal",)
        indexes = "select name from sqlite_master where type = 'index' and sql is not null order by name"
        assert [name for (name,) in connection.execute(indexes)] == [
            "load_history_heads", "model_outcomes_task_model", "model_outcomes_timestamp",
            "outcome_corrections_outcome",
        ]  # fmt: skip


def test_init_of_a_file_that_is_there_changes_nothing(invoke, query, line) -> None:
    invoke("init")
    invoke("load", "-", input=line())
    before = query("select * from model_outcomes"), query("select * from sqlite_master")
    assert invoke("init").exit_code == 0
    assert (query("select * from model_outcomes"), query("select * from sqlite_master")) == before


@pytest.mark.parametrize("command", [["init"], ["load", "-"], ["import-legacy"], ["stats"]])
def test_a_newer_file_is_refused_untouched(invoke, database: Path, command: list[str]) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("create table model_outcomes (id integer primary key, tomorrow text)")
        connection.execute("pragma user_version = 99")
    before = database.read_bytes()
    result = invoke(*command, input=b"")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert str(database) in result.stderr
    assert "99" in result.stderr
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == [database.name]


def corrupt(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("create table model_outcomes (id integer primary key)")
    path.write_bytes(path.read_bytes()[:100] + b"\xff" * 5000)


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda path: path.write_text("hello, this is no database at all" * 100), id="text"),
        pytest.param(lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0" * 5000), id="binary"),
        pytest.param(corrupt, id="corrupt"),
    ],
)
@pytest.mark.parametrize("command", [["init"], ["load", "-"], ["stats"]])
def test_what_is_no_database_is_refused_untouched(
    invoke, line, database: Path, spoil: Callable[[Path], None], command: list[str]
) -> None:
    spoil(database)
    before = database.read_bytes()
    result = invoke(*command, input=line())
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert str(database) in result.stderr
    assert database.read_bytes() == before


def test_a_folder_is_refused(invoke, database: Path) -> None:
    database.mkdir()
    result = invoke("init")
    assert result.exit_code == 2
    assert f"{database} is a folder" in result.stderr


def test_a_folder_that_cannot_be_made_is_named(invoke, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = invoke("--db", tmp_path / "file" / "log.db", "init")
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
    assert str(tmp_path / "file") in result.stderr


def test_many_processes_may_create_it_at_once(start_loader, query) -> None:
    processes = [start_loader("record", "--task-type", "t", "--model-id", f"m{n}", "--success") for n in range(6)]
    said = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 6, said
    assert query("select count(*), count(distinct model_id) from model_outcomes") == [(6, 6)]


@pytest.mark.parametrize(("wait", "is_patient"), [(60.0, True), (0.0, False)])
def test_the_switch_to_wal_is_tried_until_the_wait_is_over(wait: float, is_patient: bool) -> None:
    """SQLite itself gives up at once where two connections switch one new file."""
    locked = sqlite3.OperationalError("database is locked")
    connection = Mock(**{"execute.side_effect": [locked, locked, None] if is_patient else locked})
    with nullcontext() if is_patient else pytest.raises(sqlite3.OperationalError, match="locked"):
        store._write_ahead(connection, wait)
    assert not is_patient or connection.execute.call_count == 3


def test_reading_commands_say_what_is_missing(invoke, database: Path) -> None:
    result = invoke("stats")
    assert (result.exit_code, database.exists()) == (2, False)
    assert "loader init" in result.stderr
    invoke("init")
    result = invoke("stats")
    assert result.exit_code == 2
    assert "loader build" in result.stderr


@pytest.mark.parametrize("seconds", ["soon", "-1", "nan", "1e9"])
def test_a_busy_timeout_that_is_no_time_is_refused(invoke, monkeypatch: pytest.MonkeyPatch, seconds: str) -> None:
    monkeypatch.setenv("OUTCOMES_BUSY_TIMEOUT", seconds)
    result = invoke("init")
    assert result.exit_code == 2
    assert "OUTCOMES_BUSY_TIMEOUT" in result.stderr
