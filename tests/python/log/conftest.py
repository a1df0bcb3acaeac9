"""The log as another program sees it."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from model_outcomes.log import store


@pytest.fixture(scope="session")
def empty_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "outcomes.db"
    store.create_or_open(path).close()
    return path


@pytest.fixture
def made(empty_log: Path, database: Path) -> None:
    """The test's log is there already: making it takes longer than most tests."""
    shutil.copy(empty_log, database)


@pytest.fixture
def log(empty_log: Path) -> Iterator[sqlite3.Connection]:
    """A plain connection to an empty log; what a test writes is rolled back after it."""
    with closing(sqlite3.connect(empty_log, isolation_level=None)) as connection:
        connection.execute("pragma foreign_keys = on")
        connection.execute("begin")
        yield connection
        connection.execute("rollback")
