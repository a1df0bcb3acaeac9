"""Corrections in any order give the figures of a log that had the last verdicts from the start."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.warehouse import marts

from ..parity.comparing import differences
from .conftest import Warehouse, copy_of_project, empty_log

COLUMNS = (
    "task_type", "model_id", "success", "timeout", "tokens_used", "cost_usd", "timestamp", "event_id", "task_id",
    "error_type", "cost_source",
)  # fmt: skip
EXPERIMENT = (
    "experiment_id,task_type,incumbent_model_id,challenger_model_id,started_at,ended_at,challenger_share\n"
    "trial,code,able,baker,2026-03-02,,0.5\n"
)
OF_THE_BUILD = {"build_settings"}
OF_VOID_OUTCOMES_TOO = {"first_used", "last_used", "our_first_used", "our_last_used"}
OPTIONS = {"success": 1, "failure": 0}


def outcomes(draw: random.Random, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        cost = draw.choice([None, 0.0, round(draw.uniform(0, 2), 9), round(draw.uniform(0, 200), 9)])
        yield {
            "task_type": draw.choice(["code", "prose"]),
            "model_id": draw.choice(["able", "baker", "cedar"]),
            "success": int(draw.random() < 0.7),
            "timeout": int(draw.random() < 0.1),
            "tokens_used": draw.choice([0, draw.randrange(10_000), draw.randrange(10**12)]),
            "cost_usd": cost or 0.0,
            "timestamp": f"2026-03-{draw.randint(1, 20):02}T{draw.randint(0, 23):02}:00:00Z",
            "event_id": f"e{number}",
            "task_id": draw.choice([None, f"T{draw.randrange(40)}"]),
            "error_type": draw.choice([None, "rate_limited", "wrong_answer"]),
            "cost_source": None if cost is None else "provider",
        }
    # The only outcome of a cell: void, it takes the cell with it.
    yield {"task_type": "lonely", "model_id": "able", "success": 1, "timeout": 0, "tokens_used": 1, "cost_usd": 0.5,
           "timestamp": "2026-03-01T00:00:00Z", "event_id": "lonely", "task_id": None, "error_type": None,
           "cost_source": None}  # fmt: skip


class Corrected:
    """A log and the verdicts that count in it."""

    def __init__(self, warehouse: Warehouse, seed: int) -> None:
        self.warehouse, self.draw = warehouse, random.Random(seed)
        self.recorded: list[dict[str, Any]] = []
        self.verdicts: dict[str, str] = {}
        self.connection = sqlite3.connect(warehouse.database, timeout=60, isolation_level=None)

    def record(self, rows: list[dict[str, Any]]) -> None:
        insert(self.connection, rows)
        self.recorded += rows
        self.verdicts |= {row["event_id"]: "success" if row["success"] else "failure" for row in rows}

    def correct(self, count: int) -> None:
        """Make corrections, half of them of few outcomes, which so have several. Some change nothing."""
        events = list(self.verdicts)
        for _ in range(count):
            event_id = self.draw.choice(events if self.draw.random() < 0.5 else events[::20])
            verdict = self.draw.choice(["success", "failure", "void"])
            column = self.draw.choice(["event_id", "outcome_id"])
            name = event_id if column == "event_id" else events.index(event_id) + 1
            self.connection.execute(
                f"insert into outcome_corrections ({column}, verdict) values (?, ?)", (name, verdict)
            )
            self.verdicts[event_id] = verdict

    def correct_last(self, event_id: str, verdict: str) -> None:
        self.connection.execute(
            "insert into outcome_corrections (event_id, verdict) values (?, ?)", (event_id, verdict)
        )
        self.verdicts[event_id] = verdict

    def reference(self, folder: Path) -> Warehouse:
        """Return a new log, built, whose outcomes were recorded with the last verdicts, without the void ones."""
        folder.mkdir()
        reference = empty_log(folder)
        reference.project = self.warehouse.project
        rows = [
            {**row, "success": OPTIONS[verdict]}
            for row in self.recorded
            if (verdict := self.verdicts[row["event_id"]]) != "void"
        ]
        with closing(sqlite3.connect(reference.database)) as connection:
            insert(connection, rows)
            connection.commit()
        reference.build()
        return reference


def insert(connection: sqlite3.Connection, rows: list[dict[str, Any]]) -> None:
    statement = f"insert into model_outcomes ({', '.join(COLUMNS)}) values ({', '.join('?' * len(COLUMNS))})"
    connection.executemany(statement, [[row[name] for name in COLUMNS] for row in rows])


def differing(reference: Warehouse, corrected: Warehouse, *names: str) -> list[str]:
    """Return the differences between the marts of two logs."""
    found = []
    for mart in marts.read(reference.database):
        if mart.name in OF_THE_BUILD or (names and mart.name not in names):
            continue
        here, there = (
            [
                {name: value for name, value in row.items() if name not in OF_VOID_OUTCOMES_TOO}
                for row in warehouse.rows(f"select * from {mart.name}")
            ]
            for warehouse in (reference, corrected)
        )
        found += differences(mart, here, there)
    return found


@pytest.fixture
def corrected(tmp_path: Path) -> Corrected:
    project = copy_of_project(tmp_path / "project")
    (project / "workspace" / "seeds" / "ab_experiments.csv").write_text(EXPERIMENT)
    (tmp_path / "corrected").mkdir()
    warehouse = empty_log(tmp_path / "corrected")
    warehouse.project = project
    return Corrected(warehouse, seed=20)


def test_corrections_between_builds_equal_the_last_verdicts(corrected: Corrected, tmp_path: Path) -> None:
    rows = list(outcomes(corrected.draw, 600))
    corrected.record(rows[:300])
    corrected.correct(100)
    corrected.warehouse.build()
    corrected.correct(100)
    corrected.record(rows[300:])
    corrected.correct(100)
    corrected.warehouse.build()
    corrected.correct(100)
    corrected.correct_last("lonely", "void")
    reference = corrected.reference(tmp_path / "reference")
    assert not reference.query("select 1 from model_stats where task_type = 'lonely'")
    live = ("model_stats", "model_failures")
    assert differing(reference, corrected.warehouse, *live) == [], "at once, before the next build"
    assert "agree" in corrected.warehouse.loader("audit").stdout
    corrected.warehouse.build()
    assert differing(reference, corrected.warehouse) == []
    assert "agree" in corrected.warehouse.loader("audit").stdout


@pytest.mark.slow
def test_ten_thousand_corrections_with_killed_builds_equal_the_last_verdicts(
    corrected: Corrected, tmp_path: Path
) -> None:
    rows = list(outcomes(corrected.draw, 3_000))
    killed = 0
    for number in range(20):
        corrected.record(rows[number * 150 : (number + 1) * 150])
        corrected.correct(250)
        build = started_build(corrected.warehouse)
        patience = corrected.draw.uniform(2, 12)
        deadline = time.monotonic() + patience
        while time.monotonic() < deadline and build.poll() is None:
            corrected.correct(25)
            time.sleep(patience / 10)
        if build.poll() is None:
            os.killpg(build.pid, signal.SIGKILL)
            killed += 1
        build.wait()
    corrected.correct(10_000 - corrected.connection.execute("select count(*) from outcome_corrections").fetchone()[0])
    assert killed >= 5
    corrected.warehouse.build()
    assert differing(corrected.reference(tmp_path / "reference"), corrected.warehouse) == []
    assert "agree" in corrected.warehouse.loader("audit").stdout


def started_build(warehouse: Warehouse) -> "subprocess.Popen[bytes]":
    environment = {**os.environ, "OUTCOMES_PROJECT": str(warehouse.project), "OUTCOMES_DB": str(warehouse.database)}
    return subprocess.Popen(
        [sys.executable, "-c", "from loader.cli import main; main()", "build", "--quiet"], env=environment,
        cwd=warehouse.database.parent, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
