"""How whole files are written: at once, under a name that nobody can foresee, for the right people."""

import json
import os
import sqlite3
import stat
import subprocess
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from unittest.mock import Mock

import pytest

from model_outcomes.base import locks, outputs, paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.job.run import _Job
from model_outcomes.publish import publisher, snapshot
from model_outcomes.warehouse import marts

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A folder on a disk of its own, with room for 64 kB."""
    folder = tmp_path / "full"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a disk that can be full needs the right to mount one: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> None:
    with (folder / "filling").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(b"x" * 4096)
    assert os.statvfs(folder).f_bavail == 0


def test_a_file_appears_whole_and_nothing_stays_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    with outputs.replacing(path) as unfinished:
        unfinished.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    half = outputs.replacing(path)
    half.__enter__().write_text("half")
    assert not half.__exit__(ZeroDivisionError, ZeroDivisionError(), None)  # which goes on to the caller
    assert path.read_text() == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["report.html"]


def test_its_name_until_then_cannot_be_foreseen_and_is_new(tmp_path: Path) -> None:
    names = set()
    for _ in range(2):
        with outputs.replacing(tmp_path / "report.html") as unfinished:
            names.add(unfinished.name)
            assert not unfinished.is_symlink()
    assert len(names) == 2


def test_links_that_wait_at_known_names_are_not_followed(invoke, database: Path, tmp_path: Path) -> None:
    """At the names of older versions, which were those of the process."""
    victim = tmp_path / "victim"
    victim.write_text("dear")
    invoke("init")
    holder = paths.holder_note(paths.load_lock(database))
    for name in (f".copy.db.{os.getpid()}.unfinished", f"{holder.stem}.{os.getpid()}"):
        (tmp_path / name).symlink_to(victim)
    holder.symlink_to(victim)
    with locks.exclusive(paths.load_lock(database), "a test"):
        assert json.loads(holder.read_text())["purpose"] == "a test"
    assert invoke("backup", tmp_path / "copy.db").exit_code == 0
    assert victim.read_text() == "dear"


@pytest.mark.parametrize("name", ["x" * 250 + ".html", "ü" * 120 + ".html"])
def test_a_long_name_is_no_fault(tmp_path: Path, name: str) -> None:
    with outputs.replacing(tmp_path / name) as unfinished:
        unfinished.write_text("new")
    assert (tmp_path / name).read_text() == "new"


def test_an_existing_file_passes_on_its_permissions(tmp_path: Path) -> None:
    path = tmp_path / "copy.db"
    path.touch()
    path.chmod(0o640)
    with outputs.replacing(path, is_private=True):
        pass
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_what_holds_the_log_is_for_its_owner(invoke, database: Path, tmp_path: Path, line, monkeypatch) -> None:
    monkeypatch.setenv("OUTCOMES_PROJECT", str(PROJECT))
    before = os.umask(0o022)
    try:
        assert invoke("load", "-", input=line()).exit_code == 0
        reader = sqlite3.connect(database)
        reader.execute("select * from model_outcomes").fetchall()
        invoke("backup", tmp_path / "copy.db")
        (tmp_path / "inbox").mkdir()
        (tmp_path / "inbox" / "bad.jsonl").write_text('{"task_type": 1}\n')
        locked = sqlite3.connect(database, isolation_level=None)
        locked.execute("begin immediate")
        monkeypatch.setenv("OUTCOMES_BUSY_TIMEOUT", "0")
        recorded = invoke("record", "--task-type", "t", "--model-id", "m", "--success")
        assert recorded.exit_code == 0, recorded.output
        locked.execute("rollback")
        monkeypatch.setattr(_Job, "_export_log", Mock(side_effect=OutcomesError("far enough")))
        invoke("run", "--inbox", tmp_path / "inbox", "--no-publish")
    finally:
        os.umask(before)
    (run,) = (tmp_path / "runs").iterdir()
    assert (run / "rejects.jsonl").is_file()
    private = [database, Path(f"{database}-wal"), Path(f"{database}-shm"), paths.load_lock(database),
               tmp_path / "copy.db", paths.build_folder(database), run]  # fmt: skip
    assert {path.name: oct(path.stat().st_mode & 0o077) for path in private} == {path.name: "0o0" for path in private}
    reader.close()
    locked.close()


def test_a_spool_is_for_its_owner(invoke, database: Path) -> None:
    database.mkdir()
    assert invoke("record", "--task-type", "t", "--model-id", "m", "--success").exit_code == 0
    assert stat.S_IMODE(paths.spool(database).stat().st_mode) == 0o600


def test_a_file_that_is_there_keeps_its_permissions(invoke, database: Path) -> None:
    database.touch()
    database.chmod(0o664)
    assert invoke("init").exit_code == 0
    assert stat.S_IMODE(database.stat().st_mode) == 0o664


def test_a_lock_on_a_full_disk_is_held_without_a_note(full: Path) -> None:
    fill(full)
    with locks.exclusive(full / "x.lock", "a test"):
        assert locks.holder(full / "x.lock") == {}
    assert locks.holder(full / "x.lock") is None


def test_a_full_disk_is_named_and_keeps_the_older_file(full: Path) -> None:
    (full / "report.html").write_text("old")
    fill(full)
    with (
        pytest.raises(OutcomesError, match="No space left on device") as fault,
        outputs.replacing(full / "report.html") as new,
    ):
        new.write_text("x" * 70_000)
    assert str(fault.value) == f"cannot write {full / 'report.html'}: No space left on device"
    assert sorted(path.name for path in full.iterdir()) == ["filling", "report.html"]
    assert (full / "report.html").read_text() == "old"


def test_a_snapshot_that_finds_no_room_names_its_folder(full: Path, built: Path) -> None:
    source = snapshot.Source(built, [marts.Mart("model_rankings", "", (), ())])
    publisher.prepare(full, built)
    fill(full)
    with (
        pytest.raises(OutcomesError) as fault,
        publisher.written(built, full, run_id="run", as_of="2026-01-31T12:00:00Z", source=source),
    ):
        pass
    assert str(fault.value) == f"cannot publish to {full}: database or disk is full"


@pytest.mark.parametrize("command", [["backup", "FULL/copy.db"], ["report", "-o", "FULL/report.html"]])
def test_a_command_on_a_full_disk_says_one_line(full: Path, invoke, built: Path, command: list[str]) -> None:
    fill(full)
    result = invoke("--db", built, *(part.replace("FULL", str(full)) for part in command))
    path = full / Path(command[-1]).name
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1), result.output
    assert result.stderr.startswith(f"Error: cannot write {path}: ")
    assert sorted(each.name for each in full.iterdir()) == ["filling"]


def test_a_run_that_cannot_write_its_summary_says_so_and_the_next_one_closes_its_row(
    full: Path, invoke, query, database: Path, monkeypatch
) -> None:
    """Its folder is on the full disk, the log is not: the row says what came of it."""
    monkeypatch.setenv("OUTCOMES_PROJECT", str(PROJECT))
    monkeypatch.setenv("OUTCOMES_RUNS", str(full))
    monkeypatch.setenv("OUTCOMES_DUCKDB", str(database.with_name("x.duckdb")))

    def take_in(job: _Job, connection: sqlite3.Connection, folder: Path, watch: object) -> None:
        fill(full)

    monkeypatch.setattr(_Job, "_work", take_in)
    result = invoke("run", "--no-publish")
    summary = json.loads(result.stdout)
    assert (result.exit_code, len(summary["faults"])) == (2, 1)
    assert summary["faults"][0].startswith(f"cannot write {full / summary['run_id'] / 'summary.json'}: ")
    assert query("select status, exit_code from run_history") == [("failed", 2)]
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("update run_history set status = 'running', finished_at = null")
    (full / "filling").unlink()
    monkeypatch.setattr(_Job, "_work", lambda *_: None)
    assert invoke("run", "--no-publish").exit_code == 0
    assert query("select status from run_history order by run_id") == [("killed",), ("succeeded",)]


def test_a_folder_without_permission_is_one_line(tmp_path: Path, invoke, database: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    invoke("init")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    result = invoke("backup", closed / "copy.db")
    assert (result.exit_code, result.stderr) == (2, f"Error: cannot write {closed / 'copy.db'}: Permission denied\n")
