"""Four writers, a builder and two readers on one file, and SIGKILL for writers and builds."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from loader import ModelOutcomes, auditing

ACTORS = Path(__file__).with_name("actors.py")
BUILDS = 4
SECONDS = 150  # at most, should the machine be too slow for so many builds
WRITERS = {"recorder-1": "recorder", "recorder-2": "recorder", "client-1": "client", "client-2": "client"}


def test_nothing_is_lost_and_nobody_fails(tmp_path: Path) -> None:
    database = tmp_path / "outcomes.db"
    with ModelOutcomes(database) as outcomes:
        outcomes.record("task-0", "model-0", True, event_id="first")
    build(database)

    def start(role: str, name: str) -> "subprocess.Popen[bytes]":
        with (tmp_path / f"{name}.stderr").open("ab") as errors:
            return subprocess.Popen([sys.executable, ACTORS, role, database, tmp_path, name], stderr=errors)

    writers = {name: start(role, name) for name, role in WRITERS.items()}
    others = {name: start(role, name) for name, role in [("builder", "builder"), ("r1", "reader"), ("r2", "reader")]}
    dice, kills = random.Random(), 0
    end = time.monotonic() + SECONDS
    while len(lines(tmp_path, "builds")) < BUILDS and time.monotonic() < end:
        time.sleep(dice.uniform(0.5, 1.5))
        name = dice.choice(list(writers))
        assert writers[name].poll() is None, complaints(tmp_path)
        writers[name].send_signal(signal.SIGKILL)
        writers[name].wait()
        kills += 1
        writers[name] = start(WRITERS[name], name)
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
        assert auditing.audit(connection).differences == []
        leftovers = connection.execute("select name from sqlite_master where instr(name, '__dbt_')").fetchall()
    assert leftovers == []


def build(database: Path) -> None:
    subprocess.run(
        [sys.executable, "-c", "from loader.cli import main; main()", "--db", database, "build", "--quiet"],
        check=True,
    )


def lines(folder: Path, pattern: str) -> list[str]:
    return [line for file in folder.glob(pattern) for line in file.read_text().splitlines()]


def complaints(folder: Path) -> str:
    return "\n".join(lines(folder, "*.stderr"))
