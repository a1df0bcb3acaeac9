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
SECONDS = 20
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
    while time.monotonic() < end:
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
    acknowledged = {line for file in tmp_path.glob("*.acknowledged") for line in file.read_text().splitlines()}
    builds = (tmp_path / "builds").read_text().split()
    reads = [int(file.read_text()) for file in tmp_path.glob("*.reads")]
    assert kills > 5
    assert set(builds) == {"finished", "killed"}
    assert len(acknowledged) > 1000
    assert len(reads) == 2
    assert min(reads) > 50
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


def complaints(folder: Path) -> str:
    return "".join(f"{file.name}: {file.read_text()}" for file in folder.glob("*.stderr") if file.stat().st_size)
