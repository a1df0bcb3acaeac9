"""A publication is one switch: at whatever file operation it is killed, every path belongs to one run."""

import errno
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.base.errors import OutcomesError
from model_outcomes.care import doctor
from model_outcomes.log import store
from model_outcomes.publish import publisher
from model_outcomes.publish.snapshot import Source
from model_outcomes.warehouse.marts import Column, Mart

from ..publication import contents, run_of

MAKING = {"os.rename", "os.link", "os.symlink", "os.mkdir"}
REMOVING = {"os.remove", "os.rmdir", "shutil.rmtree"}


class Killed(BaseException):
    """As SIGKILL: whatever still runs changes no file."""


def disk_full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Accident:
    """A fault at the file operation of a number, the first being 1, and at all later ones."""

    def __init__(self) -> None:
        self.fault: Callable[[], BaseException] | None = None
        self.at = self.count = 0
        sys.addaudithook(self._before)

    def _before(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.fault is None:
            return
        flags = arguments[2] if event == "open" else 0
        is_open_for_writing = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if event in MAKING or is_open_for_writing or (event in REMOVING and self.fault is Killed):
            self.count += 1
            if self.count >= self.at:
                raise self.fault()

    def happens_in(self, action: Callable[[], None], fault: Callable[[], BaseException], at: int) -> bool:
        """Whether it happened before the action was done."""
        self.fault, self.at, self.count = fault, at, 0
        try:
            action()
        except (Killed, OutcomesError):
            pass
        finally:
            self.fault = None
        return self.count >= at


@pytest.fixture(scope="module")
def accident() -> Accident:
    return Accident()  # an audit hook stays for as long as the process


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """A log, and two marts that stand in for what dbt builds."""
    path = tmp_path / "outcomes.db"
    store.create_or_open(path).close()
    with closing(sqlite3.connect(path)) as log:
        log.executescript("create table one (id integer); insert into one values (1); create table two as select 2 id")
    return path


def mart(name: str) -> Mart:
    return Mart(name, f"The mart {name}.", (Column("id", "bigint", "A number."),), ("id",))


def publish(database: Path, folder: Path, run_id: str) -> None:
    """Publish the first run with a report and the mart `one`, the others with `two` alone and without a report."""
    marts, report = ([mart("one"), mart("two")], "<p>report") if run_id == "first" else ([mart("two")], None)
    publisher.prepare(folder, database)
    with publisher.written(
        database, folder, run_id=run_id, as_of="2026-01-31T12:00:00Z", report=report, source=Source(database, marts)
    ) as publication:
        publication.move_into_place()


def without_links(folder: Path) -> None:
    """As earlier versions of the loader published: the files themselves, and one of somebody else's."""
    plain = folder.with_name("plain")
    for name, content in contents(folder).items():
        (plain / name).parent.mkdir(parents=True, exist_ok=True)
        (plain / name).write_bytes(content)
    (plain / "csv" / "mine.csv").write_text("mine\n")
    shutil.rmtree(folder)
    plain.rename(folder)


def copied(folder: Path) -> None:
    """As `cp -rL` copies it: every link is followed."""
    shutil.copytree(folder, folder.with_name("copy"))
    shutil.rmtree(folder)
    folder.with_name("copy").rename(folder)


STARTS: dict[str, Callable[[Path], None] | None] = {
    "nothing": shutil.rmtree, "a publication": None, "files without links": without_links, "a copy": copied,
}  # fmt: skip


@pytest.mark.parametrize("fault", [Killed, disk_full])
@pytest.mark.parametrize("start", STARTS)
def test_at_whatever_operation_it_ends_every_path_is_one_runs(
    database: Path, tmp_path: Path, accident: Accident, monkeypatch: pytest.MonkeyPatch, start: str, fault: Any
) -> None:
    monkeypatch.setattr("model_outcomes.base.disk.sync", lambda path: None)  # only a power failure tells the difference
    monkeypatch.setattr("model_outcomes.publish.exports.has_parquet", lambda: False)  # a third less to do
    beginning = tmp_path / "beginning" / "published"
    publish(database, beginning, "first")
    runs: dict[str, dict[str, bytes]] = {"first": contents(beginning)}
    if change := STARTS[start]:
        change(beginning)
    at, is_over = 0, False
    while not is_over:
        at += 1
        folder = tmp_path / str(at) / "published"
        if beginning.exists():
            shutil.copytree(beginning, folder, symlinks=True)
        has_foreign = (folder / "csv" / "mine.csv").exists()
        is_over = not accident.happens_in(partial(publish, database, folder, "second"), fault, at)
        before = None if start == "nothing" else "first"
        run = run_of(folder)
        assert run in (before, "second"), f"operation {at}"
        if run:
            assert runs.setdefault(run, contents(folder)) == contents(folder), f"operation {at}"
        if is_over:
            assert run == "second"
        publish(database, folder, "third")
        assert run_of(folder) == "third"
        assert runs.setdefault("third", contents(folder)) == contents(folder), f"after operation {at}"
        assert (folder / "csv" / "mine.csv").exists() == has_foreign
        names = sorted(path.name for path in folder.iterdir())
        assert names == [".versions", "csv", "current", "datapackage.json", "jsonl", "model_outcomes.db"]
        versions = {path.name for path in (folder / ".versions").iterdir()}
        assert "third" in versions
        assert len(versions) <= 2
        links = {path.name for kind in ("csv", "jsonl") for path in (folder / kind).iterdir()}
        assert links - {"mine.csv"} == {"two.csv", "two.jsonl"}
    assert at > 10


def test_files_are_replaced_by_links_where_there_are_no_hard_links(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "published"
    publish(database, folder, "first")
    without_links(folder)
    before = contents(folder)

    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refused)
    publish(database, folder, "second")
    assert run_of(folder) == "second"
    (adopted,) = (folder / ".versions").glob("adopted*")
    assert contents(adopted) == before


def test_a_reader_that_resolves_the_publication_once_reads_one_run_through_the_next(
    database: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "published"
    publish(database, folder, "first")
    resolved, before = (folder / "current").resolve(), contents(folder)
    with (folder / "csv" / "one.csv").open() as still_open:
        publish(database, folder, "second")
        assert contents(resolved) == before
        publish(database, folder, "third")
        assert not resolved.exists()
        assert still_open.read() == "id\n1\n"


@pytest.mark.parametrize(
    "name", ["model_outcomes.db", "datapackage.json", "csv/two.csv", "current", ".versions", "csv"]
)
@pytest.mark.parametrize("kind", ["file", "link"])
def test_nothing_of_somebody_elses_is_replaced(database: Path, tmp_path: Path, name: str, kind: str) -> None:
    folder, mine = tmp_path / "published", tmp_path / "mine"
    (folder / name).parent.mkdir(parents=True)
    mine.write_text("{}")
    if kind == "file":
        mine.rename(folder / name)
    else:
        (folder / name).symlink_to(mine)
    with pytest.raises(OutcomesError, match=rf"^no run published {folder / name}: move it away, or name another"):
        publish(database, folder, "first")
    assert (folder / name).read_text() == "{}"
    assert (folder / name).is_symlink() == (kind == "link")


def test_the_log_itself_is_no_place_to_publish_to(tmp_path: Path, database: Path) -> None:
    log = tmp_path / "model_outcomes.db"
    database.rename(log)
    before = log.read_bytes()
    with pytest.raises(OutcomesError, match="no run published"):
        publish(log, tmp_path, "first")
    assert log.read_bytes() == before


def test_the_folder_may_be_a_link_and_may_move(database: Path, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "published").symlink_to("disk")
    publish(database, tmp_path / "published", "first")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "disk").rename(tmp_path / "elsewhere" / "disk")
    assert run_of(tmp_path / "elsewhere" / "disk") == "first"


def test_the_snapshot_is_read_where_nothing_may_be_written(database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "published"
    publish(database, folder, "first")
    snapshot = folder / "model_outcomes.db"
    before = snapshot.read_bytes()
    assert before[18:20] == b"\x01\x01", "the file is in WAL mode"  # https://sqlite.org/fileformat.html
    with closing(store.open_snapshot(snapshot)) as reader:
        assert reader.execute("select id from two").fetchall() == [(2,)]
        assert sorted(path.name for path in snapshot.resolve().parent.iterdir() if path.is_file()) == [
            "datapackage.json", "model_outcomes.db", "report.html"
        ]  # fmt: skip
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            reader.execute("pragma user_version = 7")
    assert snapshot.read_bytes() == before


def test_a_snapshot_that_fills_the_disk_names_the_folder_it_was_for(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "published"
    publish(database, folder, "first")
    before = contents(folder)
    # SQLite itself then says what it says of a full disk.
    monkeypatch.setattr("model_outcomes.publish.snapshot.DESCRIBED", "pragma max_page_count = 1;create table x (y);")
    with pytest.raises(OutcomesError, match=f"^cannot publish to {folder}: database or disk is full$"):
        publish(database, folder, "second")
    assert contents(folder) == before


def test_doctor_names_what_is_not_as_it_was_contents(database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "published"

    def finding() -> Any:
        return next(each for each in doctor.examine(database).findings if each.check == "publication")

    assert (finding().status, finding().message) == ("ok", f"nothing is published in {folder}")
    publish(database, folder, "first")
    assert finding().status == "ok"
    assert "first" in finding().message
    (folder / "csv" / "one.csv").write_text("id\n2\n")
    (folder / "jsonl" / "two.jsonl").unlink()
    assert finding().status == "warning"
    assert finding().details["damaged"] == ["csv/one.csv", "jsonl/two.jsonl"]
    publish(database, folder, "second")
    assert finding().status == "ok"


def test_a_connection_that_stays_open_stays_with_its_run(database: Path, tmp_path: Path) -> None:
    folder = tmp_path / "published"
    publish(database, folder, "first")
    with closing(store.open_snapshot(folder / "model_outcomes.db")) as pooled:
        publish(database, folder, "second")
        assert pooled.execute("select run_id from snapshot_run").fetchall() == [("first",)]
    assert run_of(folder) == "second"


def test_what_a_run_publishes_can_be_read_by_others(database: Path, tmp_path: Path) -> None:
    """A web server runs as another user."""
    previous = os.umask(0o022)
    try:
        publish(database, tmp_path / "published", "first")
    finally:
        os.umask(previous)
    for path in (tmp_path / "published").rglob("*"):
        assert path.stat().st_mode & 0o044 == 0o044, path
