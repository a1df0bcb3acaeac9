"""Everybody on one file: writers, loaders, builders and readers; some of them are killed."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from model_outcomes import ModelOutcomes
from model_outcomes.base import paths
from model_outcomes.care import audit

ACTORS = Path(__file__).with_name("actors.py")
BUILDS = 4
LINES = 10_000
SECONDS = 150  # at most, should the machine be too slow for so many builds
WRITERS = {"recorder-1": "recorder", "recorder-2": "recorder", "client-1": "client", "client-2": "client"}


@pytest.fixture(autouse=True)
def stopped(tmp_path: Path) -> Iterator[None]:
    """A test that fails leaves nobody at work."""
    yield
    (tmp_path / "stop").touch()


@pytest.mark.slow
def test_nothing_is_lost_and_nobody_fails(tmp_path: Path) -> None:
    database = tmp_path / "outcomes.db"
    with ModelOutcomes(database) as outcomes:
        outcomes.record("task-0", "model-0", True, event_id="first")
    build(database)
    writers = {name: start(database, role, name) for name, role in WRITERS.items()}
    others = {
        name: start(database, role, name) for name, role in [("builder", "builder"), ("r1", "reader"), ("r2", "reader")]
    }
    dice, kills = random.Random(), 0
    end = time.monotonic() + SECONDS
    while len(lines(tmp_path, "builds")) < BUILDS and time.monotonic() < end:
        time.sleep(dice.uniform(0.5, 1.5))
        name = dice.choice(list(writers))
        assert writers[name].poll() is None, complaints(tmp_path)
        writers[name].send_signal(signal.SIGKILL)
        writers[name].wait()
        kills += 1
        writers[name] = start(database, WRITERS[name], name)
    (tmp_path / "stop").touch()
    codes = {name: process.wait(60) for name, process in {**writers, **others}.items()}
    assert set(codes.values()) == {0}, f"{codes} {complaints(tmp_path)}"

    build(database)
    acknowledged = set(lines(tmp_path, "*.acknowledged"))
    assert kills > 1
    assert set(lines(tmp_path, "builds")) == {"finished", "killed"}
    assert len(acknowledged) > 100
    assert min(map(int, lines(tmp_path, "*.reads"))) > 10
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        recorded = {row[0] for row in connection.execute("select event_id from model_outcomes")}
        assert acknowledged <= recorded
        assert connection.execute("select sum(successes + failures) from model_stats").fetchone() == (len(recorded),)
        assert audit.audit(connection).differences == []
        leftovers = connection.execute("select name from sqlite_master where instr(name, '__dbt_')").fetchall()
    assert leftovers == []


def test_eight_record_beside_two_loads_and_a_build(tmp_path: Path) -> None:
    database = tmp_path / "outcomes.db"
    with ModelOutcomes(database) as outcomes:
        outcomes.record("task-0", "model-0", True, event_id="first")
    for name in ("a", "b"):
        with (tmp_path / f"{name}.jsonl").open("w") as file:
            for number in range(LINES):
                line = {"task_type": "task-0", "model_id": name, "success": True, "timestamp": "2026-01-02T03:04:05Z"}
                file.write(f"{json.dumps({**line, 'event_id': f'{name}-{number}'})}\n")
    recorders = [start(database, "recorder", f"recorder-{number}") for number in range(8)]
    loads = [command(database, "load", tmp_path / f"{name}.jsonl") for name in ("a", "b")]
    builds = [command(database, "build", "--quiet")]
    assert [process.wait(SECONDS) for process in (*loads, *builds)] == [0, 0, 0]
    (tmp_path / "stop").touch()
    assert [process.wait(60) for process in recorders] == [0] * 8
    assert complaints(tmp_path) == ""
    assert [path for path in paths.spools(database) if path.exists()] == []

    acknowledged = lines(tmp_path, "*.acknowledged")
    assert len({name.rsplit("-", 2)[0] for name in acknowledged}) == 8
    expected = {"first", *acknowledged, *(f"{name}-{number}" for name in ("a", "b") for number in range(LINES))}
    with closing(sqlite3.connect(database)) as connection:
        recorded = [row[0] for row in connection.execute("select event_id from model_outcomes")]
    assert sorted(recorded) == sorted(expected)


def start(database: Path, role: str, name: str) -> "subprocess.Popen[bytes]":
    folder = database.parent
    with (folder / f"{name}.stderr").open("ab") as errors:
        return subprocess.Popen([sys.executable, ACTORS, role, database, folder, name], stderr=errors)


def command(database: Path, *arguments: object) -> "subprocess.Popen[bytes]":
    begin = [sys.executable, "-c", "from loader.cli import main; main()", "--db", str(database)]
    with (database.parent / f"{arguments[0]}.stderr").open("ab") as errors:
        return subprocess.Popen([*begin, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=errors)


def build(database: Path) -> None:
    assert command(database, "build", "--quiet").wait() == 0, complaints(database.parent)


def lines(folder: Path, pattern: str) -> list[str]:
    return [line for file in folder.glob(pattern) for line in file.read_text().splitlines()]


def complaints(folder: Path) -> str:
    return "\n".join(lines(folder, "*.stderr"))
