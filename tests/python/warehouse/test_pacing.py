"""A build has two threads, of which one rests while the log grows: measured by which nodes ran at once."""

import json
import sqlite3
import threading
from contextlib import closing
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest

from loader import ModelOutcomes, pacing, places, store

from .conftest import Warehouse

STARTS, ENDS = (SimpleNamespace(info=SimpleNamespace(name=name)) for name in ("NodeStart", "NodeFinished"))


@pytest.fixture
def log(database: Path) -> ModelOutcomes:
    store.create_or_open(database).close()
    with ModelOutcomes(database) as outcomes:
        yield outcomes


@pytest.fixture
def paces(log: ModelOutcomes, database: Path, monkeypatch: pytest.MonkeyPatch) -> pacing.Pace:
    """In which nothing but an event or a new look ends a rest."""
    monkeypatch.setattr(pacing, "LOOK", 0.01)
    monkeypatch.setattr(pacing, "QUIET", 3600.0)
    return pacing.Pace(database)


class Other:
    """Another thread of dbt, which begins a node."""

    def __init__(self, paces: pacing.Pace) -> None:
        self.has_begun, self.may_end = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self._work, args=(paces,), daemon=True)
        self.thread.start()

    def _work(self, paces: pacing.Pace) -> None:
        paces(STARTS)
        self.has_begun.set()
        self.may_end.wait(60)
        paces(ENDS)


def test_two_nodes_run_at_once_while_nobody_records(paces: pacing.Pace) -> None:
    paces(STARTS)
    assert Other(paces).has_begun.wait(60)


def test_one_waits_for_the_other_while_the_log_grows(paces: pacing.Pace, log: ModelOutcomes) -> None:
    paces(STARTS)
    log.record("code", "able", True)
    other = Other(paces)
    assert not other.has_begun.wait(0.3)
    paces(ENDS)
    assert other.has_begun.wait(60)
    # Its end lets the next one begin here, too.
    other.may_end.set()
    other.thread.join(60)
    paces(STARTS)


def test_a_rest_ends_when_the_log_grows_no_more(
    paces: pacing.Pace, log: ModelOutcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    paces(STARTS)
    log.record("code", "able", True)
    other = Other(paces)
    assert not other.has_begun.wait(0.3)
    monkeypatch.setattr(pacing, "QUIET", 0.0)
    assert other.has_begun.wait(60)


def test_a_node_whose_end_dbt_never_tells_holds_nothing_up_for_ever(
    paces: pacing.Pace, log: ModelOutcomes, monkeypatch: pytest.MonkeyPatch
) -> None:
    paces(STARTS)
    log.record("code", "able", True)
    paces(STARTS)  # the same thread: its last node is over, whatever dbt said
    monkeypatch.setattr(pacing, "PATIENCE", 0.1)
    assert Other(paces).has_begun.wait(60)


@pytest.mark.parametrize("content", [None, b"", b"this is no database at all" * 100])
def test_a_file_that_cannot_say_keeps_nobody_waiting(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "some.db"
    if content is not None:
        path.write_bytes(content)
    paces = pacing.Pace(path)
    paces(STARTS)
    assert Other(paces).has_begun.wait(60)


def overlaps(database: Path) -> int:
    """How many nodes of the last build began to execute before the one begun before had ended."""
    results = json.loads((places.build_folder(database) / "target" / "run_results.json").read_text())["results"]
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
    with closing(sqlite3.connect(new_warehouse.database)) as connection:
        assert connection.execute("select count(*) > 100 from model_outcomes where model_id = 'able'").fetchone() == (
            1,
        )
