"""One database under several names: one lock, one spool, one build folder."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from model_outcomes.base import locks, paths
from model_outcomes.base.errors import BusyError
from model_outcomes.job import dbt_step


@pytest.fixture(params=["link", "link to its folder", "dots", "relative"])
def other(request: pytest.FixtureRequest, tmp_path: Path, database: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another name of the test's database."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    if request.param == "link":
        Path("linked.db").symlink_to(database)
        return tmp_path / "elsewhere" / "linked.db"
    if request.param == "link to its folder":
        Path("folder").symlink_to(tmp_path)
        return tmp_path / "elsewhere" / "folder" / database.name
    return tmp_path / "elsewhere" / ".." / database.name if request.param == "dots" else Path("..") / database.name


def test_runs_and_loads_by_two_names_exclude_each_other(invoke, database: Path, other: Path, line, monkeypatch) -> None:
    assert invoke("init").exit_code == 0
    monkeypatch.setenv("OUTCOMES_BUSY_TIMEOUT", "0")
    with locks.exclusive(paths.load_lock(database), "a load"):
        refused = invoke("--db", other, "load", "-", input=line())
        assert (refused.exit_code, "a load" in refused.stderr) == (75, True)
    with (
        dbt_step.locked(database, "sqlite", wait=0),
        pytest.raises(BusyError),
        dbt_step.locked(other, "sqlite", wait=0),
    ):
        raise AssertionError("both held it")
    with dbt_step.locked(database, "sqlite", wait=0):
        run = invoke("--db", other, "run", "--no-publish")
        assert (run.exit_code, json.loads(run.stdout)["status"]) == (75, "busy")
    assert paths.build_folder(other) == paths.build_folder(database) == Path(f"{database}.build")


def test_what_was_spooled_under_one_name_is_drained_under_another(
    invoke, query, database: Path, other: Path, monkeypatch
) -> None:
    assert invoke("init").exit_code == 0
    monkeypatch.setenv("OUTCOMES_BUSY_TIMEOUT", "0")
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("begin immediate")
        said = invoke("--db", other, "record", "--task-type", "t", "--model-id", "m", "--success")
        assert "kept in" in said.stderr
        writer.execute("rollback")
    assert [path.name for path in database.parent.glob("*.spool.jsonl")] == [f"{database.name}.spool.jsonl"]
    drained = invoke("drain")
    assert "1 accepted" in drained.stdout
    assert query("select task_type, model_id from model_outcomes") == [("t", "m")]


def test_a_spool_in_a_shared_folder_has_one_name(database: Path, other: Path, tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "spools").mkdir()
    monkeypatch.setenv("OUTCOMES_SPOOL", str(tmp_path / "spools"))
    database.touch()
    assert paths.spools(other) == paths.spools(database)


def test_a_spool_in_the_folder_of_state_follows_a_database_that_is_renamed(
    invoke, tmp_path: Path, line, monkeypatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("OUTCOMES_BUSY_TIMEOUT", "0")
    for name in ("old", "copied"):
        assert invoke("--db", tmp_path / name / "log.db", "load", "-", input=line()).exit_code == 0
    database = tmp_path / "old" / "log.db"
    Path(f"{database}.spool.jsonl").mkdir()  # the place beside the log takes none
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("begin immediate")
        said = invoke("--db", database, "record", "--task-type", "t", "--model-id", "m", "--success")
        assert f"kept in {tmp_path / 'state'}" in said.stderr
        writer.execute("rollback")
    Path(f"{database}.spool.jsonl").rmdir()
    # Another log that began with the same outcome gets none of it, before the first one moves and after.
    assert "0 accepted" in invoke("--db", tmp_path / "copied" / "log.db", "drain").stdout
    (tmp_path / "old").rename(tmp_path / "new")
    assert "0 accepted" in invoke("--db", tmp_path / "copied" / "log.db", "drain").stdout
    assert "1 accepted" in invoke("--db", tmp_path / "new" / "log.db", "drain").stdout
    assert "0 accepted" in invoke("--db", tmp_path / "new" / "log.db", "drain").stdout


def test_a_file_with_two_names_is_not_opened(invoke, database: Path, tmp_path: Path, line) -> None:
    """SQLite would keep a WAL for each, and neither name would see what was written by the other."""
    invoke("load", "-", input=line())
    (tmp_path / "second.db").hardlink_to(database)
    before = database.read_bytes()
    for name in (database, tmp_path / "second.db"):
        for command in (["load", "-"], ["stats"]):
            refused = invoke("--db", name, *command, input=line())
            assert (refused.exit_code, "2 names (hard links)" in refused.stderr) == (2, True)
        spooled = invoke("--db", name, "record", "--task-type", "t", "--model-id", "m", "--success")
        assert (spooled.exit_code, "kept in" in spooled.stderr) == (0, True)
    assert database.read_bytes() == before
    (tmp_path / "second.db").unlink()
    assert "1 accepted" in invoke("drain").stdout
