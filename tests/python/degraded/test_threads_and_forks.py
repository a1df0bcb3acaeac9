"""One `ModelOutcomes` serves threads, and goes along through a fork."""

import multiprocessing
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from model_outcomes import ModelOutcomes

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def record(outcomes: ModelOutcomes, name: str, count: int) -> None:
    for number in range(count):
        assert outcomes.record("coding", name, True, event_id=f"{name}-{number}")


def counts(query) -> dict[str, int]:
    return dict(query("select model_id, count(*) from model_outcomes group by 1"))


def in_a_child(run) -> int:
    """Run in a forked child, without anything of pytest; its pid."""
    child = os.fork()
    if child == 0:
        code = 1
        signal.alarm(60)  # a child that hangs fails
        try:
            run()
            code = 0
        finally:
            sys.stderr.flush()
            os._exit(code)
    return child


def test_threads_share_one(database: Path, query) -> None:
    with ModelOutcomes(database, durability="normal") as outcomes:
        threads = [threading.Thread(target=record, args=(outcomes, f"t{number}", 200)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert counts(query) == {f"t{number}": 200 for number in range(8)}


def test_a_fork_goes_on_in_parent_and_children(database: Path, query) -> None:
    """Children that outlive the parent's connection must not write to a WAL that it has removed."""
    go_read, go_write = os.pipe()
    outcomes = ModelOutcomes(database, durability="normal")
    record(outcomes, "before", 10)

    def child(name: str) -> None:
        record(outcomes, name, 50)
        os.read(go_read, 1)  # until the parent has closed the log
        record(outcomes, f"{name}-late", 50)

    children = [in_a_child(lambda name=name: child(name)) for name in ("a", "b")]
    record(outcomes, "parent", 50)
    outcomes.close()
    os.write(go_write, b"..")
    assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0, 0]
    record(outcomes, "parent-late", 50)
    outcomes.close()
    names = ("a", "a-late", "b", "b-late", "parent", "parent-late")
    assert counts(query) == {"before": 10, **dict.fromkeys(names, 50)}
    assert query("pragma integrity_check") == [("ok",)]


def test_a_fork_in_the_midst_of_threads(database: Path, query) -> None:
    with ModelOutcomes(database, durability="normal") as outcomes:
        threads = [threading.Thread(target=record, args=(outcomes, f"t{number}", 300)) for number in range(3)]
        for thread in threads:
            thread.start()
        children = [in_a_child(lambda number=number: record(outcomes, f"c{number}", 20)) for number in range(6)]
        assert [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children] == [0] * 6
        for thread in threads:
            thread.join()
    assert counts(query) == {**{f"t{n}": 300 for n in range(3)}, **{f"c{n}": 20 for n in range(6)}}


def test_a_pool_of_processes_takes_it_along(database: Path, query) -> None:
    outcomes = ModelOutcomes(database, durability="normal")
    record(outcomes, "before", 1)
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=record, args=(outcomes, f"w{number}", 50)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert counts(query) == {"before": 1, **{f"w{number}": 50 for number in range(4)}}
