"""An event_id names one outcome: the same again is a retry, another one under that name a fault."""

import sqlite3
from typing import Any

import pytest

INSERT = "insert into model_outcomes (task_type, model_id, success, timestamp, event_id) values (?, ?, ?, ?, ?)"
FIRST = ("coding", "alpha", 1, "2026-01-31T12:00:00Z", "e1")


@pytest.fixture(autouse=True)
def _first(log: sqlite3.Connection) -> None:
    log.execute(INSERT, FIRST)


def rows(log: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return log.execute("select id, task_type, model_id, success, timestamp, event_id from model_outcomes").fetchall()


@pytest.mark.parametrize(
    "again",
    [
        FIRST,
        ("coding", "alpha", 1, "2026-02-01T00:00:00Z", "e1"),
        ("coding", "alpha", 1.0, "2026-01-31T12:00:00Z", "e1"),
        ("coding", "alpha", True, "2026-01-31T12:00:00Z", "e1"),
    ],
)
@pytest.mark.parametrize("verb", ["insert", "insert or replace", "insert or ignore"])
def test_a_retry_changes_nothing(log: sqlite3.Connection, again: tuple[Any, ...], verb: str) -> None:
    log.execute(INSERT.replace("insert", verb), again)
    assert rows(log) == [(1, *FIRST)]


@pytest.mark.parametrize(
    "other",
    [
        ("review", "alpha", 1, "2026-01-31T12:00:00Z", "e1"),
        ("coding", "beta", 1, "2026-01-31T12:00:00Z", "e1"),
        ("coding", "alpha", 0, "2026-01-31T12:00:00Z", "e1"),
        ("coding", "alpha", None, "2026-01-31T12:00:00Z", "e1"),
    ],
)
@pytest.mark.parametrize("verb", ["insert", "insert or replace", "insert or ignore"])
def test_another_outcome_under_its_name_is_refused(log: sqlite3.Connection, other: tuple[Any, ...], verb: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="event_id was recorded before"):
        log.execute(INSERT.replace("insert", verb), other)
    assert rows(log) == [(1, *FIRST)]


def test_another_task_under_its_name_is_refused_and_other_details_are_not(log: sqlite3.Connection) -> None:
    insert = INSERT.replace("event_id)", "event_id, {})").replace("?)", "?, ?)")
    log.execute(insert.format("task_id"), (*FIRST[:4], "e2", "t1"))
    with pytest.raises(sqlite3.IntegrityError, match="recorded before with another task_id"):
        log.execute(insert.format("task_id"), (*FIRST[:4], "e2", "t2"))
    for column, value in [("task_id", "t1"), ("task_id", None), ("agent", "rig 2"), ("score", 0.5), ("attempt", 2),
                          ("attributes", '{"team": "red"}')]:  # fmt: skip
        log.execute(insert.format(column), (*FIRST[:4], "e2", value))
    kept = log.execute("select event_id, task_id, agent, score, attempt, attributes from model_outcomes").fetchall()
    assert kept == [("e1", None, None, None, None, None), ("e2", "t1", None, None, None, None)]


@pytest.mark.parametrize("tail", ["on conflict do nothing", "on conflict (event_id) do nothing"])
def test_on_conflict_do_nothing_goes_on_working(log: sqlite3.Connection, tail: str) -> None:
    log.execute(f"{INSERT} {tail}", FIRST)
    log.execute(f"{INSERT} {tail}", (*FIRST[:4], "e2"))
    assert [row[5] for row in rows(log)] == ["e1", "e2"]


def test_an_upsert_cannot_change_a_row(log: sqlite3.Connection) -> None:
    log.execute(f"{INSERT} on conflict (event_id) do update set success = 0", FIRST)
    assert rows(log) == [(1, *FIRST)]


def test_a_retry_within_one_statement_is_one_row(log: sqlite3.Connection) -> None:
    log.execute(
        "insert into model_outcomes (task_type, model_id, success, timestamp, event_id) values"
        " ('t', 'm', 1, '2026-01-31T12:00Z', 'x'), ('t', 'm', 1, '2026-01-31T12:00Z', 'x'),"
        " ('t', 'm', 1, '2026-01-31T12:00Z', 'y')"
    )
    assert [row[5] for row in rows(log)] == ["e1", "x", "y"]


def test_outcomes_without_a_name_are_never_retries(log: sqlite3.Connection) -> None:
    for _ in range(3):
        log.execute(INSERT, (*FIRST[:4], None))
    assert len(rows(log)) == 4
