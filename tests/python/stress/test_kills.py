"""SIGKILL at random moments of everything that writes, while an agent records."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from model_outcomes import ModelOutcomes
from model_outcomes.care import audit

from ..publication import run_of
from .test_everybody_at_once import command, complaints, lines, start

OPERATIONS = ("load", "build", "run", "publish", "drain", "import")
KILLS = 10  # of each operation
LOADED, WAITING, CELLS = 3_000, 200, 50  # outcomes of a file, outcomes in a spool, cells of an older tool's file
PATIENCE_S = 600


@pytest.fixture(autouse=True)
def stopped(tmp_path: Path) -> Iterator[None]:
    """A test that fails leaves no recorder at work."""
    yield
    (tmp_path / "stop").touch()


class Site:
    """A log with everything that writes to it. `acknowledged` are the event_ids that must never be missing."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.database = folder, folder / "outcomes.db"
        self.acknowledged: set[str] = set()
        self.files: list[Path] = []
        self.cells = self.count = 0
        (folder / "inbox").mkdir()

    def begin(self, operation: str) -> tuple["subprocess.Popen[bytes]", set[str]]:
        """Start an operation that has something to do, and the event_ids that it acknowledges when it ends well."""
        self.count += 1
        if operation == "load":
            self.files.append(self._outcomes(self.folder / f"{self.count}.jsonl"))
            return self.loader("load", self.files[-1]), self._ids(self.count, LOADED)
        if operation == "run":
            self._outcomes(self.folder / "inbox" / f"{self.count}.jsonl")
            return self.loader("run", "--quiet", "--inbox", self.folder / "inbox"), self._ids(self.count, LOADED)
        if operation == "drain":
            self._spool()
            return self.loader("drain"), set()
        if operation == "import":
            file = self.folder / f"{self.count}.json"
            cell = {"model-0": {"successes": 3, "failures": 1}}
            file.write_text(json.dumps({f"old-{self.count}-{number}": cell for number in range(CELLS)}))
            self.files.append(file)
            self.cells += CELLS
            return self.loader("import-legacy", file), set()
        if operation == "publish":
            return start(self.database, "publisher", f"by-hand-{self.count}"), set()
        return self.loader("build", "--quiet"), set()

    def loader(self, *arguments: object) -> "subprocess.Popen[bytes]":
        return command(self.database, *arguments)

    def done(self, *arguments: object) -> None:
        assert self.loader(*arguments).wait(PATIENCE_S) == 0, f"{arguments}: {complaints(self.folder)}"

    def _ids(self, number: int, count: int) -> set[str]:
        return {f"{number}-{each}" for each in range(count)}

    def _outcomes(self, file: Path) -> Path:
        plain = {"task_type": "task-0", "model_id": "model-0", "success": True, "timestamp": "2026-01-02T03:04:05Z"}
        with file.open("w") as written:
            for event_id in self._ids(self.count, LOADED):
                written.write(json.dumps({**plain, "event_id": event_id}) + "\n")
        return file

    def _spool(self) -> None:
        """Record while another writer holds the log: that is acknowledged, and waits in the spool."""
        with (
            closing(sqlite3.connect(self.database, isolation_level=None, timeout=60)) as other,
            ModelOutcomes(self.database) as outcomes,
        ):
            other.execute("begin immediate")
            for event_id in self._ids(self.count, WAITING):
                assert outcomes.record("task-1", "model-1", True, event_id=event_id)
                self.acknowledged.add(event_id)
            other.execute("rollback")


@pytest.mark.slow
def test_sixty_kills_lose_nothing_and_leave_one_runs_publication(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seed = int(os.environ.get("STRESS_SEED") or random.randrange(2**32))
    print(f"STRESS_SEED={seed}")
    dice = random.Random(seed)
    monkeypatch.setenv("STRESS_PAUSE_S", "0.05")
    monkeypatch.setenv("OUTCOMES_REPORT", "no")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    site = Site(tmp_path)
    with ModelOutcomes(site.database) as outcomes:
        outcomes.record("task-0", "model-0", True, event_id="first")
    recorder = start(site.database, "recorder", "recorder")

    took_s: dict[str, float] = {}
    kills: Counter[str] = Counter()
    for operation in ("build", "run", "load", "publish", "drain", "import"):
        begun = time.monotonic()
        process, acknowledged = site.begin(operation)
        assert process.wait(PATIENCE_S) == 0, complaints(tmp_path)
        site.acknowledged |= acknowledged
        took_s[operation] = time.monotonic() - begun
    plan = [operation for operation in OPERATIONS for _ in range(KILLS)]
    dice.shuffle(plan)
    while plan:
        operation = plan[-1]
        process, acknowledged = site.begin(operation)
        try:
            code = process.wait(dice.uniform(0, took_s[operation]))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            code = process.wait()
        if code == -signal.SIGKILL:
            kills[operation] += 1
            plan.pop()
        else:
            # 75: what a killed one left at work still holds a lock.
            assert code in (0, 75), f"{operation}: {code} {complaints(tmp_path)}"
            site.acknowledged |= acknowledged if code == 0 else set()
        assert run_of(tmp_path / "published") is not None
        assert recorder.poll() is None, complaints(tmp_path)
    assert kills == dict.fromkeys(OPERATIONS, KILLS)

    (tmp_path / "stop").touch()
    assert recorder.wait(60) == 0, complaints(tmp_path)
    site.done("drain")
    site.acknowledged |= {"first", *lines(tmp_path, "*.acknowledged")}
    assert len(site.acknowledged) > KILLS * WAITING
    with closing(sqlite3.connect(site.database)) as log:
        assert (
            site.acknowledged - {event_id for (event_id,) in log.execute("select event_id from model_outcomes")}
            == set()
        )

    for file in site.files:  # what was killed is called again, as its caller would
        site.done(*(("load",) if file.suffix == ".jsonl" else ("import-legacy",)), file)
    summary = json.loads(subprocess.run(
        [sys.executable, "-c", "from loader.cli import main; main()", "--db", site.database, "run", "--wait", "60",
         "--inbox", tmp_path / "inbox"], check=True, capture_output=True,
    ).stdout)  # fmt: skip
    assert run_of(tmp_path / "published") == summary["run_id"]
    assert len(list((tmp_path / "published" / ".versions").iterdir())) == 2
    files = len(list((tmp_path / "inbox").iterdir())) + sum(file.suffix == ".jsonl" for file in site.files)
    with closing(sqlite3.connect(site.database, isolation_level=None)) as log:
        assert log.execute("select count(*) from model_outcomes where model_id = 'model-0' and task_type = 'task-0'"
                           " and event_id glob '[0-9]*-*'").fetchone()[0] == files * LOADED  # fmt: skip
        assert log.execute("select count(*), sum(successes) from legacy_model_stats").fetchone() == (
            site.cells, 3 * site.cells
        )  # fmt: skip
        (count,) = log.execute("select count(*) from model_outcomes").fetchone()
        assert log.execute("select sum(successes + failures) from model_stats").fetchone()[0] == count + 4 * site.cells
        assert log.execute("pragma integrity_check").fetchone()[0] == "ok"
        assert audit.audit(log).differences == []
