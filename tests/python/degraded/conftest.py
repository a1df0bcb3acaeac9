"""Databases that cannot be written, each in a way of its own, and what waits in their spools."""

import ctypes
import json
import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.base import paths
from model_outcomes.log import store


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's folder of state; nobody is waited for."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("OUTCOMES_BUSY_TIMEOUT", "0.05")
    return tmp_path / "state"


@pytest.fixture
def waiting(database: Path) -> Callable[[], list[dict[str, Any]]]:
    """The outcomes in all spools of the test's log."""

    def read() -> list[dict[str, Any]]:
        spools = [path for path in paths.spools(database) if path.exists()]
        return [json.loads(line) for path in spools for line in path.read_text().splitlines()]

    return read


@contextmanager
def missing_folder(database: Path) -> Iterator[None]:
    folder = database.parent
    folder.rename(folder.with_name("aside"))
    yield
    folder.with_name("aside").rename(folder)


@contextmanager
def no_folder(database: Path) -> Iterator[None]:
    """What should be the folder is a file."""
    folder = database.parent
    folder.rename(folder.with_name("aside"))
    folder.write_text("")
    yield
    folder.unlink()
    folder.with_name("aside").rename(folder)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("begin immediate")
    yield
    connection.execute("rollback")
    connection.close()


@contextmanager
def replaced(database: Path, content: bytes) -> Iterator[None]:
    kept = database.read_bytes()
    database.write_bytes(content)
    yield
    database.write_bytes(kept)


def corrupt(database: Path) -> AbstractContextManager[None]:
    return replaced(database, database.read_bytes()[:100] + b"\xff" * 20_000)


def text(database: Path) -> AbstractContextManager[None]:
    return replaced(database, b"this is no database at all" * 100)


@contextmanager
def newer(database: Path) -> Iterator[None]:
    for version in (99, 1):
        with closing(sqlite3.connect(database)) as connection:
            connection.execute(f"pragma user_version = {version}")
        if version == 99:
            yield


@contextmanager
def full(database: Path) -> Iterator[None]:
    """No file may grow beyond 64 kB any more, and the WAL is there already."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("create table filler (text)")
        connection.execute("insert into filler values (?)", ("x" * 100_000,))
        resource.setrlimit(resource.RLIMIT_FSIZE, (65_536, before[1]))
        yield
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only(database: Path) -> Iterator[None]:
    """The folder and what is in it, for root too."""
    modes = {path: path.stat().st_mode for path in (database.parent, *database.parent.iterdir())}
    for path, mode in modes.items():
        path.chmod(mode & 0o555)
    with without_override():
        yield
    for path, mode in modes.items():
        path.chmod(mode)


@contextmanager
def without_override() -> Iterator[None]:
    """Gives up for now root's capabilities to write to and read what it likes (CAP_DAC_OVERRIDE and
    CAP_DAC_READ_SEARCH of capabilities(7))."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x2008_0522, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable, and the upper halves of the three
    assert libc.capget(header, sets) == 0
    before = sets[0]
    sets[0] = before & ~(1 << 1 | 1 << 2)
    assert libc.capset(header, sets) == 0
    yield
    sets[0] = before
    assert libc.capset(header, sets) == 0


TROUBLES = [missing_folder, no_folder, read_only, locked, corrupt, text, newer, full]


@pytest.fixture(params=TROUBLES, ids=lambda trouble: trouble.__name__)
def trouble(request: pytest.FixtureRequest) -> Callable[[Path], AbstractContextManager[None]]:
    """A way in which a database cannot be written, for the length of a block."""
    return request.param


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """The test's log, in a folder of its own that may go."""
    path = tmp_path / "log" / "outcomes.db"
    store.create_or_open(path).close()
    return path
