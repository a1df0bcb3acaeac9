"""The processes of the stress test: `python actors.py ROLE DATABASE FOLDER NAME`.

Each works until FOLDER/stop exists, or until it is killed; the publisher publishes once.
"""

import itertools
import os
import random
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

from model_outcomes import ModelOutcomes
from model_outcomes.base import paths
from model_outcomes.publish.publisher import prepare, written
from model_outcomes.warehouse import builds

CELLS = [(f"task-{task}", f"model-{model}") for task in range(3) for model in range(4)]
PAUSE_S = float(os.environ.get("STRESS_PAUSE_S", "0.003"))


class Acknowledged:
    """A side file of the outcomes that were acknowledged, on disk before the next one is tried."""

    def __init__(self, folder: Path, name: str) -> None:
        self.file = os.open(folder / f"{name}.acknowledged", os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def add(self, event_id: str) -> None:
        os.write(self.file, f"{event_id}\n".encode())


def recorder(database: Path, folder: Path, name: str) -> None:
    """A writer that uses the Python interface."""
    with ModelOutcomes(database) as outcomes:

        def write(event_id: str, task_type: str, model_id: str, success: bool) -> None:
            outcomes.record(task_type, model_id, success, tokens_used=7, cost_usd=0.000123, event_id=event_id)

        _write_all(write, folder, name)


def client(database: Path, folder: Path, name: str) -> None:
    """A writer in plain SQL, with times of its own and failures that are not the model's."""
    connection = sqlite3.connect(database, timeout=30, isolation_level=None)

    def write(event_id: str, task_type: str, model_id: str, success: bool) -> None:
        connection.execute(
            "insert into model_outcomes (task_type, model_id, success, cost_usd, timestamp, event_id, error_type)"
            " values (?, ?, ?, 0.1, strftime('%Y-%m-%dT%H:%M:%f', 'now', '-3 hours') || '-03:00', ?, ?)",
            (task_type, model_id, success, event_id, None if success else "rate_limited"),
        )

    _write_all(write, folder, name)


def _write_all(write: Callable[[str, str, str, bool], None], folder: Path, name: str) -> None:
    acknowledged = Acknowledged(folder, name)
    for number in itertools.count():
        if (folder / "stop").exists():
            return
        event_id = f"{name}-{os.getpid()}-{number}"
        write(event_id, *CELLS[number % len(CELLS)], number % 3 != 0)
        acknowledged.add(event_id)
        time.sleep(PAUSE_S)


def builder(database: Path, folder: Path, name: str) -> None:
    """Build after build; every other one is killed somewhere on its way."""
    import dbt.cli.main  # noqa: F401 - once, and not in each child

    moments = random.Random()
    took = 5.0
    for number in itertools.count():
        if (folder / "stop").exists():
            return
        begun = time.monotonic()
        child = os.fork()
        if child == 0:
            _build(database)
        if number % 2:
            time.sleep(moments.uniform(0, took))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if number % 2 == 0:
            took = time.monotonic() - begun
            assert os.waitstatus_to_exitcode(status) == 0, "a build that nobody killed failed"
        with (folder / "builds").open("a") as file:
            file.write(f"{'killed' if number % 2 else 'finished'}\n")


def _build(database: Path) -> None:
    """In a child: nothing of the parent may run after it."""
    code = 1
    try:
        builds.build(database, quiet=True)
        code = 0
    except BaseException as fault:
        print(f"build: {fault!r}", file=sys.stderr)
    finally:
        sys.stderr.flush()
        os._exit(code)


def reader(database: Path, folder: Path, name: str) -> None:
    """Reads the live view and a built table. No read fails, and no outcome is seen and then not."""
    connection = sqlite3.connect(database, isolation_level=None)
    seen = reads = 0
    while not (folder / "stop").exists():
        (now,) = connection.execute("select sum(successes + failures) from model_stats").fetchone()
        assert now >= seen, f"{seen} outcomes, and then {now}"
        seen = now
        assert connection.execute("select * from model_rankings").fetchall()
        reads += 1
        time.sleep(PAUSE_S)
    (folder / f"{name}.reads").write_text(f"{reads}\n")


def publisher(database: Path, folder: Path, name: str) -> None:
    """Publishes once what was built last, as the run of this name."""
    with builds.lock(database, "a publication", wait=60):
        prepare(folder / "published", database)
        with written(database, folder / "published", run_id=name, as_of="2026-01-31T12:00:00Z") as publication:
            publication.move_into_place()


if __name__ == "__main__":
    role, database, folder, name = sys.argv[1:]
    roles = {role.__name__: role for role in (recorder, client, builder, reader, publisher)}
    roles[role](paths.absolute(database), Path(folder), name)
