"""Whatever ends a load in the middle, every row is in once when it is run again."""

import json
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.intake import loads
from model_outcomes.log import store

PATIENCE = 60  # seconds until a test gives up
ROWS = 15_000  # about nine batches


@pytest.fixture(scope="module", params=["named", "nameless"])
def big_file(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """ROWS outcomes whose duration_ms is their line number, with and without event_ids; each 1,000th line is bad."""
    file = tmp_path_factory.mktemp("big") / "log.jsonl"
    with file.open("w") as log:
        for number in range(1, ROWS + 1):
            fields: dict[str, Any] = {"task_type": "coding", "model_id": "alpha", "success": number % 3 == 0}
            fields |= {
                "timestamp": "2026-01-31T12:00:00Z",
                "task_id": "x" * 500,
                "duration_ms": number if number % 1000 else -number,
            }
            if request.param == "named":
                fields["event_id"] = f"event-{number}"
            log.write(json.dumps(fields) + "\n")
    return file


def each_line_once(query) -> bool:
    rows = query("select duration_ms from model_outcomes order by id")
    refused = query("select line_number from rejected_outcomes order by rejected_id")
    good = [(number,) for number in range(1, ROWS + 1) if number % 1000]
    return rows == good and refused == [(number,) for number in range(1000, ROWS + 1, 1000)]


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        time.sleep(0.002)


def test_a_killed_load_goes_on_where_it_stopped(start_loader, invoke, query, database: Path, big_file: Path) -> None:
    store.create_or_open(database).close()
    progress = "select coalesce(max(end_line), 0) from load_history"
    for _ in range(3):
        ((before,),) = query(progress)
        process = start_loader("load", big_file)
        grown = partial(lambda before, process: process.poll() is not None or query(progress)[0][0] > before, before)
        wait_for(partial(grown, process))
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
        assert query("pragma integrity_check") == [("ok",)]
    assert query("select count(*) < 14000, count(*) > 0 from model_outcomes") == [(1, 1)]
    assert invoke("load", "--max-rejects", ROWS, big_file).exit_code == 0
    assert each_line_once(query)
    assert "0 accepted, 0 duplicates, 0 rejected" in invoke("load", big_file).stdout


def test_two_loads_of_one_file_at_once(start_loader, query, database: Path, big_file: Path) -> None:
    processes = [start_loader("load", "--max-rejects", ROWS, big_file) for _ in range(2)]
    said = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], said
    assert each_line_once(query)


def test_a_second_load_says_who_is_loading(start_loader, monkeypatch: pytest.MonkeyPatch, database: Path, line) -> None:
    monkeypatch.setenv("OUTCOMES_BUSY_TIMEOUT", "0.1")
    store.create_or_open(database).close()
    with loads.lock(database):
        process = start_loader("load", "-")
        said = process.communicate(timeout=PATIENCE)[1]
    assert process.returncode == 75
    assert f"process {os.getpid()}" in said


@pytest.mark.parametrize(
    "statement", ["insert on model_outcomes", "update on load_history", "insert on rejected_outcomes"]
)
def test_a_batch_that_fails_is_all_or_nothing(invoke, query, database: Path, big_file: Path, statement: str) -> None:
    store.create_or_open(database).close()
    verb, _, table = statement.split()
    failing = {
        "model_outcomes": "new.duration_ms = 9001",
        "load_history": "new.end_line > 9000",
        "rejected_outcomes": "new.line_number = 9000",
    }[table]
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            f"create trigger disk_is_full before {verb} on {table} when {failing} begin"
            " select json('an error that is no constraint'); end"
        )
    result = invoke("load", big_file)
    assert (result.exit_code, result.stderr.strip().count("\n")) == (2, 0)
    ((end_line, accepted, rejected),) = query("select end_line, accepted_count, rejected_count from load_history")
    assert 1 < end_line <= 9_000
    assert accepted + rejected == end_line - 1
    assert query("select count(*), max(duration_ms) < ? from model_outcomes", end_line) == [(accepted, 1)]
    assert query("select count(*) from rejected_outcomes") == [(rejected,)]
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("drop trigger disk_is_full")
    assert invoke("load", "--max-rejects", ROWS, big_file).exit_code == 0
    assert each_line_once(query)


def test_a_locked_log_is_said_to_be_busy(invoke, database: Path, line, query, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTCOMES_BUSY_TIMEOUT", "0.1")
    store.create_or_open(database).close()
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("begin immediate")
        result = invoke("load", "-", input=line())
        assert (result.exit_code, str(database) in result.stderr) == (75, True)
        other.execute("rollback")
    assert invoke("load", "-", input=line()).exit_code == 0
    assert query("select count(*) from model_outcomes") == [(1,)]
