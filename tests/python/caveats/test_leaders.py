"""Caveats about the model of rank 1: its plain rate misleads, or another model did best at the same tasks."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest

from model_outcomes.answers.caveats import comparisons

TABLES = """
    create table model_rankings (task_type, model_id, rank, same_task_rank);
    create table recommendations (task_type, incumbent_model_id);
    create table model_pairs (
        task_type, model_id, rival_model_id, strata_name, naive_difference, difference, is_confounded, verdict
    );
"""


@pytest.fixture
def marts() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(TABLES)
        yield connection


def rank(marts: sqlite3.Connection, task_type: str, *rows: tuple[str, int | None, int | None]) -> None:
    marts.executemany(f"insert into model_rankings values ('{task_type}', ?, ?, ?)", rows)


def test_two_leaders_are_told_only_if_both_are_ranked(marts: sqlite3.Connection) -> None:
    rank(marts, "routed", ("easy", 1, 2), ("hard", 3, 1), ("other", 2, 3))
    rank(marts, "same", ("best", 1, 1), ("other", 2, 2))
    rank(marts, "no tasks of the leader", ("leader", 1, None), ("other", 2, 1))
    rank(marts, "few trials", ("leader", 1, 2), ("young", None, 1))
    rank(marts, "no tasks", ("leader", 1, None), ("other", 2, None))
    (caveat,) = comparisons.two_leaders(marts)
    assert caveat.kind == "two_leaders"
    assert caveat.place_texts() == ["easy at routed has rank 1, but hard (rank 3) did best at the same tasks"]
    assert "Harder tasks" in caveat.consequence
    (place,) = caveat.places
    assert (place.task_type, place.model_id, place.figures["same_task_model_id"]) == ("routed", "easy", "hard")


def test_a_confounded_leader_is_told_from_its_own_side(marts: sqlite3.Connection) -> None:
    for task_type in ("first", "second", "agreed", "thin", "elsewhere"):
        rank(marts, task_type, ("a", 1, 1), ("b", 2, 2), ("c", 3, 3))
    rank(marts, "reversed", ("b", 1, 1), ("a", 2, 2))
    marts.executemany(
        "insert into recommendations values (?, ?)",
        [("first", "b"), ("second", "a"), ("agreed", "b"), ("thin", "b"), ("elsewhere", "b"), ("reversed", "a")],
    )
    marts.executemany(
        "insert into model_pairs values (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            ("first", "a", "b", "tasks", -0.2, 0.1, 1, "rival_better"),
            ("second", "a", "b", "tasks", -0.2, 0.1, 1, "rival_better"),  # the incumbent is the leader itself
            ("agreed", "a", "b", "tasks", -0.2, -0.1, 0, "model_better"),
            ("thin", "a", "b", "days", -0.2, 0.1, 1, "too_few_trials"),
            ("elsewhere", "a", "c", "tasks", -0.2, 0.1, 1, "no_verdict_yet"),
            ("reversed", "a", "b", "days and tasks", 0.25, -0.05, 1, "no_verdict_yet"),
        ],
    )
    (caveat,) = comparisons.confounded_leader(marts)
    assert caveat.kind == "confounded_leader"
    assert caveat.place_texts() == [
        "first: a against b: +20.0 points in all trials, -10.0 on the same tasks",
        "reversed: b against a: +25.0 points in all trials, -5.0 on the same tasks and days",
    ]


def test_a_log_without_such_pairs_has_no_such_caveat(marts: sqlite3.Connection) -> None:
    assert [*comparisons.two_leaders(marts), *comparisons.confounded_leader(marts)] == []
