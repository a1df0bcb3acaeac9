"""Every state of the file system that docs/guides/recording.md names, met at each moment of recording: what `record`
acknowledged is in the log once, after the state has ended as the page says and the spools are drained."""

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest

from model_outcomes import ModelOutcomes
from model_outcomes.base import paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.log import store

from .conftest import full, locked, missing_folder, without_override

State = Callable[[Path], AbstractContextManager[None]]


def beside(database: Path, suffix: str) -> Path:
    return Path(f"{database}{suffix}")


@contextmanager
def removed(database: Path) -> Iterator[None]:
    for suffix in ("", "-wal", "-shm"):
        beside(database, suffix).unlink(missing_ok=True)
    yield


@contextmanager
def moved(database: Path) -> Iterator[None]:
    aside = database.with_name("aside.db")
    database.rename(aside)
    yield
    if not database.exists():
        aside.rename(database)


@contextmanager
def moved_with_its_wal(database: Path) -> Iterator[None]:
    suffixes = [suffix for suffix in ("", "-wal", "-shm") if beside(database, suffix).exists()]
    for suffix in suffixes:
        beside(database, suffix).rename(beside(database.with_name("aside.db"), suffix))
    yield
    for suffix in suffixes if not database.exists() else ():
        with suppress(FileNotFoundError):  # SQLite removes a WAL when it is empty
            beside(database.with_name("aside.db"), suffix).rename(beside(database, suffix))


@contextmanager
def moved_while_a_reader_holds_its_wal(database: Path) -> Iterator[None]:
    """The WAL stays behind under the old name, with content that nobody can bring into the file."""
    with closing(sqlite3.connect(database, isolation_level=None)) as reader:
        reader.execute("begin")
        reader.execute("select count(*) from model_outcomes").fetchone()
        with closing(sqlite3.connect(database)) as writer, writer:
            writer.execute("create table if not exists filler (text)")
        with moved(database):
            assert beside(database, "-wal").stat().st_size > 0
            yield
    assert sqlite3.connect(database).execute("pragma integrity_check").fetchone() == ("ok",)


@contextmanager
def replaced(database: Path) -> Iterator[None]:
    new = database.with_name("new.db")
    store.create_or_open(new).close()
    new.replace(database)
    yield


@contextmanager
def mended_from_a_backup(database: Path) -> Iterator[None]:
    """As docs/guides/recovery.md says."""
    backup = database.with_name("backup.db")
    with closing(sqlite3.connect(database)) as source, closing(sqlite3.connect(backup)) as target:
        source.backup(target)
    yield
    if is_whole(database):
        return
    for suffix in ("", "-wal", "-shm"):
        beside(database, suffix).unlink(missing_ok=True)
    backup.rename(database)


def is_whole(database: Path) -> bool:
    try:
        with closing(sqlite3.connect(database)) as connection:
            connection.execute("select count(*) from model_outcomes")
            return connection.execute("pragma integrity_check").fetchone() == ("ok",)
    except sqlite3.Error:
        return False


@contextmanager
def truncated(database: Path) -> Iterator[None]:
    with mended_from_a_backup(database):
        os.truncate(database, 5_000)
        yield


@contextmanager
def emptied(database: Path) -> Iterator[None]:
    with mended_from_a_backup(database):
        os.truncate(database, 0)
        yield


@contextmanager
def damaged(database: Path) -> Iterator[None]:
    with mended_from_a_backup(database):
        with database.open("r+b") as file:
            file.seek(100)
            file.write(b"\xff" * 20_000)
        yield


@contextmanager
def read_only(database: Path) -> Iterator[None]:
    with modes(dict.fromkeys(database.parent.iterdir(), 292) | {database.parent: 0o555}):
        yield


@contextmanager
def file_without_permission(database: Path) -> Iterator[None]:
    with modes({database: 0}):
        yield


@contextmanager
def folder_without_permission(database: Path) -> Iterator[None]:
    with modes({database.parent: 0}):
        yield


@contextmanager
def folder_that_cannot_be_entered(database: Path) -> Iterator[None]:
    with modes({database.parent: 0o666}):
        yield


@contextmanager
def modes(new: dict[Path, int]) -> Iterator[None]:
    before = {path: path.stat().st_mode for path in new}
    for path, mode in new.items():
        path.chmod(mode)
    with without_override():
        yield
    for path, mode in reversed(before.items()):
        with suppress(FileNotFoundError):
            path.chmod(mode)


@contextmanager
def under_another_name(database: Path) -> Iterator[None]:
    """A hard link, for which SQLite would keep another WAL."""
    database.with_name("other.db").hardlink_to(database)
    yield
    database.with_name("other.db").unlink()


STATES: list[State] = [
    removed, moved, moved_with_its_wal, moved_while_a_reader_holds_its_wal, missing_folder, replaced, truncated,
    emptied, damaged, full, read_only, locked, file_without_permission, folder_without_permission,
    folder_that_cannot_be_entered, under_another_name,
]  # fmt: skip
# A recorder that comes after them makes a new log: what was recorded before is where the file is.
TAKES_THE_PAST = (removed, replaced, moved, moved_with_its_wal, emptied)


every_state = pytest.mark.parametrize("enter", STATES, ids=lambda enter: enter.__name__)


def record(outcomes: ModelOutcomes, *names: str) -> list[str]:
    for name in names:
        assert outcomes.record("coding", "alpha", True, event_id=name) is True
    return [*names]


def drained(invoke, query) -> list[str]:
    result = invoke("drain")
    assert result.exit_code == 0, result.output
    assert query("pragma integrity_check") == [("ok",)]
    return [name for (name,) in query("select event_id from model_outcomes order by event_id")]


@every_state
def test_before_the_log_is_opened(database: Path, invoke, query, enter: State) -> None:
    with ModelOutcomes(database) as outcomes:
        kept = record(outcomes, "a")
    with enter(database), ModelOutcomes(database) as outcomes:
        new = record(outcomes, "b", "c")
    assert drained(invoke, query) == (new if enter in TAKES_THE_PAST else kept + new)


@every_state
def test_between_two_commits(database: Path, invoke, query, enter: State) -> None:
    with ExitStack() as stack, ModelOutcomes(database) as outcomes:  # the log is closed before the state ends
        kept = record(outcomes, "a", "b")
        stack.enter_context(enter(database))
        kept += record(outcomes, "c", "d")
    assert drained(invoke, query) == kept


@every_state
@pytest.mark.parametrize("when", ["before it is written", "after it is written"])
def test_during_a_commit(database: Path, invoke, query, enter: State, when: str) -> None:
    with ExitStack() as stack, ModelOutcomes(database) as outcomes:
        kept = record(outcomes, "a")
        insert = outcomes._recorder._insert_when_free

        def meanwhile(*arguments: Any) -> sqlite3.Cursor:
            outcomes._recorder._insert_when_free = insert
            if when.startswith("before"):
                stack.enter_context(enter(database))
                return insert(*arguments)
            cursor = insert(*arguments)
            stack.enter_context(enter(database))
            return cursor

        outcomes._recorder._insert_when_free = meanwhile  # type: ignore[assignment]
        kept += record(outcomes, "b", "c")
    assert drained(invoke, query) == kept


@pytest.mark.parametrize("error", ["disk I/O error", "database or disk is full"])
def test_a_sync_that_fails_after_the_outcome_is_in_the_wal(database: Path, invoke, query, waiting, error: str) -> None:
    with ModelOutcomes(database) as outcomes:
        record(outcomes, "a")
        insert = outcomes._recorder._insert_when_free

        def fail(*arguments: Any) -> int | None:
            insert(*arguments)
            raise sqlite3.OperationalError(error)

        outcomes._recorder._insert_when_free = fail  # type: ignore[assignment]
        assert outcomes.record("coding", "beta", True) is True
    assert query("select count(*) from model_outcomes") == [(2,)]
    assert len(waiting()) == 1
    invoke("drain")
    assert query("select model_id, count(*) from model_outcomes group by 1") == [("alpha", 1), ("beta", 1)]


def killed(database: Path) -> bytes:
    """Leave a log whose WAL holds the outcomes `a` and `b`, as a killed process does; return the file alone."""
    with ModelOutcomes(database) as outcomes:
        record(outcomes, "a", "b")
        content = {suffix: beside(database, suffix).read_bytes() for suffix in ("", "-wal")}
    for suffix, data in content.items():
        beside(database, suffix).write_bytes(data)
    return content[""]


@pytest.mark.parametrize("is_empty", [False, True])
def test_a_wal_without_its_file_is_left_for_its_file(database: Path, invoke, query, is_empty: bool) -> None:
    content = killed(database)
    wal = beside(database, "-wal").read_bytes()
    if is_empty:
        database.write_bytes(b"")
    else:
        database.unlink()
    with ModelOutcomes(database) as outcomes:
        record(outcomes, "c")
    for arguments in (["init"], ["drain"], ["load", "-"], ["stats"], ["doctor"]):
        result = invoke(*arguments, input=b"")
        assert result.exit_code == (1 if arguments == ["doctor"] else 2)
        assert f"{database}-wal" in result.output
        assert result.stderr.count("\n") == (0 if arguments == ["doctor"] else 1)
    assert beside(database, "-wal").read_bytes() == wal
    database.write_bytes(content)
    assert drained(invoke, query) == ["a", "b", "c"]


def test_a_file_that_is_moved_from_under_a_recorder_has_all_that_was_recorded(database: Path) -> None:
    aside = database.with_name("aside.db")
    with ModelOutcomes(database) as outcomes:
        kept = record(outcomes, "a", "b")
        database.rename(aside)
        record(outcomes, "c")
        assert not database.exists(), "the file may come back, and must find its place free"
    with closing(sqlite3.connect(f"file:{aside}?immutable=1", uri=True)) as connection:
        names = {name for (name,) in connection.execute("select event_id from model_outcomes")}
    assert names >= set(kept)


def test_a_new_log_shares_nothing_with_one_that_was_moved(database: Path, query) -> None:
    aside = database.with_name("aside.db")
    with ModelOutcomes(database) as old, ModelOutcomes(database) as idle:
        record(old, "a")
        record(idle, "b")
        database.rename(aside)
        record(old, "c")
        with ModelOutcomes(database) as new:
            record(new, *(f"n{number}" for number in range(50)))
            record(idle, "d")
            record(new, "last")
    for path in (database, aside):
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
    names = {name for (name,) in query("select event_id from model_outcomes")}
    assert names >= {"d", "last", *(f"n{number}" for number in range(50))}


@pytest.mark.parametrize("length", [232, 245, 256, 5_000])
def test_a_name_that_is_too_long(database: Path, invoke, length: int) -> None:
    long = database.with_name("x" * length)
    result = invoke("--db", long, "record", "--task-type", "t", "--model-id", "m", "--success")
    assert (result.exit_code, result.stderr.count("\n")) == (0, int(length > 250))
    assert paths.spools(long)[-1].exists() == (length > 250)
    with ModelOutcomes(long) as outcomes:
        record(outcomes, "a")
        assert outcomes.ranked_models("coding") == []


@pytest.mark.parametrize("count", [600, pytest.param(10_000, marks=pytest.mark.slow)])
def test_nothing_is_lost_under_a_mover(database: Path, invoke, count: int) -> None:
    """Somebody moves the log away, moves it back, removes it, replaces it, again and again."""
    dice, is_over = Random(3), threading.Event()
    away: list[Path] = []

    def move_about() -> None:
        while not is_over.wait(dice.uniform(0.001, 0.02)):
            act = dice.choice(("away", "away and back", "remove", "replace"))
            other = database.with_name(f"other-{len(away)}.db")
            with suppress(FileNotFoundError, OutcomesError):
                if act in ("remove", "replace"):
                    other.hardlink_to(database)  # to count what was in it
                    away.append(other)
                if act == "remove":
                    database.unlink()
                elif act == "replace":
                    new = database.with_name("new.db")
                    store.create_or_open(new).close()
                    new.replace(database)
                else:
                    database.rename(other)
                    is_over.wait(dice.uniform(0, 0.01))
                    if act == "away and back":
                        other.rename(database)
                    else:
                        away.append(other)
                is_over.wait(dice.uniform(0, 0.01))
                if not database.exists():
                    store.create_or_open(database).close()

    mover = threading.Thread(target=move_about)
    mover.start()
    acknowledged = set()
    with ModelOutcomes(database, durability="normal") as outcomes:
        try:
            for number in range(count):
                if outcomes.record("coding", "alpha", True, event_id=f"e{number}"):
                    acknowledged.add(f"e{number}")
        finally:
            is_over.set()
            mover.join()
    assert len(acknowledged) == count
    assert invoke("drain").exit_code == 0
    names = set()
    for path in (database, *away):
        with closing(sqlite3.connect(path)) as connection:
            names |= {name for (name,) in connection.execute("select event_id from model_outcomes")}
    assert acknowledged - names == set()
    assert not [path for path in paths.spools(database) if path.exists()]
