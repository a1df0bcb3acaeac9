"""A database that is somebody else's, damaged or no database at all: one line, and nothing in it changes."""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from loader.cli import COMMANDS, main
from model_outcomes import ModelOutcomes
from model_outcomes.care.audit.comparison import compare
from model_outcomes.log import store

PROJECT = Path(__file__).resolve().parents[3]

READING = {
    "audit": [],
    "backup": ["copy.db"],
    "candidates": [],
    "compare": ["able", "brisk", "--task-type", "code"],
    "doctor": [],
    "docs": [],
    "export-log": ["--to", "parquet", "carried"],
    "federation": ["list"],
    "pairs": ["code"],
    "rank": ["code"],
    "report": [],
    "runs": [],
    "stats": [],
    "trends": [],
}
WRITING = {
    "build": [],
    "drain": [],
    "export-federated": ["-o", "out.jsonl"],
    "import-federated": ["out.jsonl"],
    "import-legacy": ["old.json"],
    "init": [],
    "load": ["log.jsonl"],
    "rejects": [],
    "run": ["--no-publish"],
    "sync-uok": ["uok.db"],
}
# `record` and `correct` write to a spool instead, see degraded/; `serve` never opens the log.
OTHER = {"correct", "record", "serve"}


def foreign(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table bookmarks (url)")
    return "another program's database (it has bookmarks)"


def foreign_with_a_version(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript("create table moz_places (url); pragma user_version = 77")
    return "another program's database (it has moz_places)"


def foreign_with_our_version(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(f"create table bookmarks (url); pragma user_version = {store.SCHEMA_VERSION}")
    return "another program's database (it has bookmarks)"


def foreign_with_a_table_named_as_ours(path: Path) -> str:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("create table model_outcomes (url)")
    return "another program's database (it has model_outcomes)"


def foreign_in_wal_mode(path: Path) -> str:
    foreign(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma journal_mode = wal")
    return "another program's database"


def negative_version(path: Path) -> str:
    store.create_or_open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = -3")
    return "schema version -3"


def huge_version(path: Path) -> str:
    store.create_or_open(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma user_version = 2147483647")
    return "upgrade the loader"


def text(path: Path) -> str:
    path.write_text("hello, this is no database at all" * 100)
    return "file is not a database"


def folder(path: Path) -> str:
    path.mkdir()
    return "is a folder"


def hard_link(path: Path) -> str:
    store.create_or_open(path.with_name("first.db")).close()
    path.hardlink_to(path.with_name("first.db"))
    return "2 names"


def snapshot(path: Path) -> str:
    """As runs publish it, with nothing in it yet."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(f"create table snapshot_run (run_id); pragma user_version = {store.SCHEMA_VERSION}")
    return "published snapshot"


def empty(path: Path) -> str:
    path.touch()
    return "is empty"


SPOILED = [foreign, foreign_with_a_version, foreign_with_our_version, foreign_with_a_table_named_as_ours,
           foreign_in_wal_mode, negative_version, huge_version, text, folder, hard_link]  # fmt: skip


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder of its own, with the files that the commands are given."""
    place = tmp_path / "place"
    place.mkdir()
    monkeypatch.chdir(place)
    monkeypatch.setenv("OUTCOMES_PROJECT", str(PROJECT))
    monkeypatch.setenv("OUTCOMES_PUBLISH", str(tmp_path / "nothing is published"))
    monkeypatch.setenv("OUTCOMES_RUNS", str(tmp_path / "runs"))
    Path("log.jsonl").write_text('{"task_type": "code", "model_id": "able", "success": true}\n')
    Path("out.jsonl").write_text("")
    Path("old.json").write_text("{}")
    with closing(sqlite3.connect("uok.db")) as connection:
        connection.execute("create table llm_task_outcomes (unit_id, unit_type, model_id, succeeded, recorded_at)")


def test_every_command_is_listed_here() -> None:
    assert set(COMMANDS) == {*READING, *WRITING, *OTHER}


@pytest.mark.parametrize(
    ("command", "arguments", "spoil"),
    [
        pytest.param(command, arguments, spoil, id=f"{command} {spoil.__name__}")
        for command, arguments in (READING | WRITING).items()
        for spoil in [*SPOILED, *([empty] if command in READING else [snapshot])]
    ],
)
def test_what_is_no_log_is_one_line_and_stays_as_it_is(
    invoke, tmp_path: Path, command: str, arguments: list[str], spoil: Callable[[Path], str]
) -> None:
    database = tmp_path / "other" / "file.db"
    database.parent.mkdir()
    expected = spoil(database)
    before = database.read_bytes() if database.is_file() else None
    names = sorted(path.name for path in database.parent.iterdir())
    result = invoke("--db", database, command, *arguments)
    assert (result.exit_code, result.stdout == "" or command in ("doctor", "run")) == (
        1 if command == "doctor" else 2,
        True,
    )
    said = result.stdout if command == "doctor" else result.stderr
    assert expected in said
    assert "loader build" not in said
    if command != "doctor":
        assert said.count("\n") == 1, said
    assert (database.read_bytes() if database.is_file() else None) == before
    beside = {path.name for path in database.parent.iterdir()}
    # The locks of a build, which come first.
    assert beside - {f"{database.name}.build", f"{database.name}.federation.lock"} == set(names)


@pytest.mark.parametrize("command", sorted(set(READING) - {"docs", "export-log"}))
def test_reading_a_log_leaves_nothing_behind(invoke, built: Path, tmp_path: Path, command: str) -> None:
    database = Path(shutil.copy(built, tmp_path / "other.db"))
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("pragma journal_mode = wal")
    before = database.read_bytes()
    result = invoke("--db", database, command, *READING[command])
    assert result.exit_code == 0, result.output
    assert database.read_bytes() == before
    assert [path.name for path in tmp_path.glob("other.db*")] == ["other.db"]


def test_a_published_snapshot_is_read_as_it_is(invoke, built: Path, tmp_path: Path) -> None:
    """`built` is in the mode of a snapshot; the log's own tables are taken from it."""
    path = Path(shutil.copy(built, tmp_path / "snapshot.db"))
    with closing(sqlite3.connect(path)) as connection, connection:
        rows = connection.execute("select count(*) from model_rankings where task_type = 'code'").fetchone()[0]
        connection.execute("create table snapshot_run (run_id, as_of, database, last_outcome_id)")
        connection.execute("drop table run_history")
    before = path.read_bytes()
    ranked = invoke("--db", path, "rank", "code", "--csv")
    assert (ranked.exit_code, ranked.stdout.count("\n")) == (0, rows + 1)
    with ModelOutcomes(path, strict=True) as outcomes:
        assert len(outcomes.ranked_models("code")) == rows
    missing = invoke("--db", path, "runs")
    assert missing.exit_code == 2
    assert missing.stderr == (f"Error: {path} is a published snapshot and has no run_history: name the log with --db\n")
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.glob("snapshot.db*")] == ["snapshot.db"]


def test_an_older_log_is_upgraded_by_no_question(invoke, database: Path) -> None:
    invoke("init")
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("pragma user_version = 1")
    asked = invoke("stats")
    assert asked.exit_code == 2
    assert asked.stderr == (
        f"Error: {database} has schema version 1, this loader reads {store.SCHEMA_VERSION}:"
        " run `loader init`, which upgrades it\n"
    )
    assert invoke("backup", "before.db").exit_code == 0
    for path in (database, Path("before.db")):
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("pragma user_version").fetchone() == (1,)


@pytest.mark.parametrize("seed", range(25))
def test_a_damaged_log_is_one_line_from_every_reading_command(built: Path, tmp_path: Path, seed: int) -> None:
    """One byte or many, anywhere: an answer or a line, and never a traceback."""
    chosen = random.Random(seed)
    content = bytearray(built.read_bytes())
    for _ in range(chosen.choice([1, 5, 50, 500, 5000])):
        # The first page has the header and the schema, which a few bytes in a megabyte would hardly ever hit.
        content[chosen.randrange(len(content) if chosen.random() < 0.9 else 4096)] = chosen.randrange(256)
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(content)
    for command in sorted(set(READING) - {"docs"}):
        result = CliRunner().invoke(main, ["--db", str(damaged), command, *READING[command]])
        assert result.exception is None or isinstance(result.exception, SystemExit), (command, result.exception)
        if result.exit_code == 2:
            assert (result.stdout, result.stderr.count("\n")) == ("", 1), (command, result.output)
            assert result.stderr.startswith("Error: ")


def test_a_key_that_is_damaged_is_a_difference() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("create table built as select null as name, 1 as trials union all select 7, 1")
        count, differences = compare(
            connection, "built", 1, "select name, trials from built", "select 'able' as name, 1 as trials", {}, {}
        )
    assert count == 1
    assert [(one.key["name"], one.column, one.expected, one.actual) for one in differences] == [
        (None, "*", 0, 1), (7, "*", 0, 1), ("able", "*", 1, 0),
    ]  # fmt: skip
