"""A build has two threads, of which one rests while the log grows, and leaves the last core: measured by which nodes
ran at once, and by where the system lets threads run."""

import json
import os
import threading
import time
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from model_outcomes import ModelOutcomes
from model_outcomes.base import paths
from model_outcomes.log import store
from model_outcomes.warehouse import pacing

from .conftest import Warehouse

SOON = 30.0  # seconds, far below those after which a thread of `paces` would begin by itself
STARTS, ENDS = (SimpleNamespace(info=SimpleNamespace(name=name)) for name in ("NodeStart", "NodeFinished"))


@pytest.fixture
def log(database: Path) -> Iterator[ModelOutcomes]:
    store.create_or_open(database).close()
    with ModelOutcomes(database) as outcomes:
        yield outcomes


@pytest.fixture
def paces(log: ModelOutcomes, database: Path, monkeypatch: pytest.MonkeyPatch) -> pacing.Pace:
    """In which nothing but an event or a new look ends a rest."""
    monkeypatch.setattr(pacing, "LOOK", 0.01)
    monkeypatch.setattr(pacing, "QUIET", 3600.0)
    monkeypatch.setattr(pacing, "PATIENCE", 3600.0)
    return pacing.Pace(database)


class Other:
    """Another thread of dbt, which begins a node, or one node after the other."""

    def __init__(self, paces: pacing.Pace, nodes: int = 1) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()
        threading.Thread(target=self._work, args=(paces, nodes), daemon=True).start()

    def _work(self, paces: pacing.Pace, nodes: int) -> None:
        for _ in range(nodes):
            paces(STARTS)
        self.has_begun.set()
        self.may_end.wait()
        paces(ENDS)


def test_two_nodes_run_at_once_while_nobody_records(paces: pacing.Pace) -> None:
    paces(STARTS)
    assert Other(paces).has_begun.wait(SOON)


def test_one_waits_for_the_other_while_the_log_grows(paces: pacing.Pace, log: ModelOutcomes) -> None:
    paces(STARTS)
    log.record("code", "able", True)
    other = Other(paces)
    assert not other.has_begun.wait(0.3)
    paces(ENDS)
    assert other.has_begun.wait(SOON)
    # And its end the next one.
    next_one = Other(paces)
    assert not next_one.has_begun.wait(0.3)
    other.may_end.set()
    assert next_one.has_begun.wait(SOON)


def test_a_rest_ends_when_the_log_grows_no_more(
    paces: pacing.Pace, log: ModelOutcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    paces(STARTS)
    log.record("code", "able", True)
    other = Other(paces)
    assert not other.has_begun.wait(0.3)
    monkeypatch.setattr(pacing, "QUIET", 0.0)
    assert other.has_begun.wait(SOON)


def test_a_node_whose_end_dbt_never_tells_holds_nothing_up_for_ever(
    paces: pacing.Pace, log: ModelOutcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.record("code", "able", True)
    # The same thread: its last node is over, whatever dbt said.
    assert Other(paces, nodes=2).has_begun.wait(SOON)
    monkeypatch.setattr(pacing, "PATIENCE", 0.1)
    assert Other(paces).has_begun.wait(SOON)


@pytest.mark.parametrize("content", [None, b"", b"this is no database at all" * 100])
def test_a_file_that_cannot_say_keeps_nobody_waiting(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "some.db"
    if content is not None:
        path.write_bytes(content)
    paces = pacing.Pace(path)
    paces(STARTS)
    assert Other(paces).has_begun.wait(SOON)


@pytest.fixture
def cores() -> set[int]:
    if not hasattr(os, "sched_getaffinity"):
        pytest.skip("this system does not say on which cores a thread may run")
    allowed = os.sched_getaffinity(0)
    if len(allowed) < 2:
        pytest.skip("there is one core, which cannot be left alone")
    return allowed


def test_all_threads_leave_the_last_core_while_the_log_grows(
    paces: pacing.Pace, log: ModelOutcomes, cores: set[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [threading.Thread(target=threading.Event().wait, daemon=True) for _ in range(2)]
    for other in others:
        other.start()
    threads = [0, *(other.native_id or 0 for other in others)]

    def come_to(expected: set[int]) -> bool:
        """Whether all threads may run there soon, and nowhere else."""
        until = time.monotonic() + SOON
        while time.monotonic() < until:
            if all(os.sched_getaffinity(thread) == expected for thread in threads):
                return True
            time.sleep(0.01)
        return False

    with paces:
        time.sleep(0.3)
        assert come_to(cores)
        log.record("code", "able", True)
        assert come_to(set(sorted(cores)[:-1]))
        monkeypatch.setattr(pacing, "QUIET", 0.0)
        assert come_to(cores)
        monkeypatch.setattr(pacing, "QUIET", 3600.0)
        log.record("code", "able", True)
        assert come_to(set(sorted(cores)[:-1]))
    assert come_to(cores)


def overlaps(database: Path) -> int:
    """How many nodes of the last build began to execute before the one begun before had ended."""
    results = json.loads((paths.build_folder(database) / "target" / "run_results.json").read_text())["results"]
    spans = sorted(
        tuple(datetime.fromisoformat(each[moment].rstrip("Z")) for moment in ("started_at", "completed_at"))
        for result in results
        for each in result["timing"]
        if each["name"] == "execute"
    )
    assert len(spans) > 100
    return sum(after[0] < before[1] for before, after in pairwise(spans))


def test_a_build_beside_a_recorder_has_one_node_at_a_time(new_warehouse: Warehouse) -> None:
    recorded = threading.Event()

    def record() -> None:
        with ModelOutcomes(new_warehouse.database) as outcomes:
            while not recorded.wait(0.02):
                outcomes.record("code", "able", True)

    new_warehouse.loader("build", "--quiet")
    assert overlaps(new_warehouse.database) > 10
    recorder = threading.Thread(target=record)
    recorder.start()
    try:
        new_warehouse.loader("build", "--quiet")
    finally:
        recorded.set()
        recorder.join()
    assert overlaps(new_warehouse.database) == 0
    assert new_warehouse.query("select count(*) > 100 from model_outcomes where model_id = 'able'") == [(1,)]
