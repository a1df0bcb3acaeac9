"""The log guards itself: whatever language writes to it, a row that is in it is a row that counts."""

import math
import sqlite3
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from model_outcomes.log import outcome, validation

PLAIN = {
    "task_type": "coding",
    "model_id": "alpha",
    "success": 1,
    "timeout": 0,
    "tokens_used": 10,
    "cost_usd": 0.5,
    "timestamp": "2026-01-31T12:00:00Z",
}


def insert(log: sqlite3.Connection, verb: str = "insert", tail: str = "", **columns: Any) -> int:
    """Insert PLAIN with `columns` over it; returns how many rows came in."""
    before = count(log)
    row = {**PLAIN, **columns}
    log.execute(
        f"{verb} into model_outcomes ({', '.join(row)}) values ({', '.join('?' * len(row))}) {tail}", [*row.values()]
    )
    return count(log) - before


def count(log: sqlite3.Connection) -> int:
    return log.execute("select count(*) from model_outcomes").fetchone()[0]


def test_original_insert_of_eight_columns_works(log: sqlite3.Connection) -> None:
    log.execute(
        "insert into model_outcomes (task_type, model_id, success, timeout, tokens_used, cost_usd, timestamp)"
        " values (?, ?, ?, ?, ?, ?, ?)",
        ("coding", "alpha", 1.0, 0.0, 1200.0, 0, "2026-01-31T12:00:00.000Z"),
    )
    assert log.execute("select * from model_outcomes").fetchone()[:8] == (
        1, "coding", "alpha", 1, 0, 1200, 0.0, "2026-01-31T12:00:00.000Z",
    )  # fmt: skip
    kinds = "select typeof(success), typeof(timeout), typeof(tokens_used), typeof(cost_usd) from model_outcomes"
    assert log.execute(kinds).fetchone() == ("integer", "integer", "integer", "real")


def test_columns_with_defaults_may_be_left_out(log: sqlite3.Connection) -> None:
    log.execute(
        "insert into model_outcomes (task_type, model_id, success, timestamp) values ('t', 'm', 0, '2026-01-31 12:00')"
    )
    assert log.execute("select timeout, tokens_used, cost_usd, cost_source from model_outcomes").fetchone() == (
        0,
        0,
        0.0,
        None,
    )


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *[(name, value) for name in ("task_type", "model_id") for value in (None, "", "  ", "\t\r\n", "a\0b")],
        *[("success", value) for value in (None, 2, -1, "yes", 0.5, b"1")],
        *[("timeout", value) for value in (None, 2, -1, "no")],
        *[("tokens_used", value) for value in (None, -1, 10**12 + 1, 9 * 10**18, "many", 1.5, math.inf, math.nan)],
        *[("cost_usd", value) for value in (None, -0.01, 1_000_000.01, math.inf, -math.inf, math.nan, "free")],
        *[
            (name, value)
            for name in ("duration_ms", "input_tokens", "output_tokens")
            for value in (-1, 10**12 + 1, "many", 1.5)
        ],
        *[(name, "") for name in ("event_id", "task_id", "experiment_id", "recorded_by", "error_type")],
        *[("cost_source", value) for value in ("", "guess", "Provider")],
    ],
)  # fmt: skip
def test_refuses_what_statistics_cannot_rest_on(log: sqlite3.Connection, column: str, value: Any) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        insert(log, **{column: value})
    assert count(log) == 0


@pytest.mark.parametrize(
    "columns",
    [
        {"tokens_used": 10**12, "cost_usd": 1_000_000},
        {"tokens_used": 0, "cost_usd": 0},
        {"tokens_used": "12"},
        {"success": True, "timeout": False},
        {"success": 1, "timeout": 1},
        {"task_type": "übersetzen", "model_id": "模型/μοντέλο v1.0"},
        {"cost_source": "local", "duration_ms": 10**12, "input_tokens": 0, "output_tokens": 0, "error_type": "network"},
    ],
)
def test_takes_the_outermost_right_values(log: sqlite3.Connection, columns: dict[str, Any]) -> None:
    assert insert(log, **columns) == 1


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-01-31T12:00", "2026-01-31 12:00:00.000"),
        ("2026-01-31 12:00", "2026-01-31 12:00:00.000"),
        ("2026-01-31T12:00Z", "2026-01-31 12:00:00.000"),
        ("2026-01-31T12:00+02:00", "2026-01-31 10:00:00.000"),
        ("2026-01-31T12:00:05", "2026-01-31 12:00:05.000"),
        ("2026-01-31 12:00:05Z", "2026-01-31 12:00:05.000"),
        ("2026-01-31T12:00:05-05:30", "2026-01-31 17:30:05.000"),
        ("2026-01-31T12:00:05.1Z", "2026-01-31 12:00:05.100"),
        ("2026-01-31T12:00:05.123", "2026-01-31 12:00:05.123"),
        ("2026-01-31T12:00:05.123456Z", "2026-01-31 12:00:05.123"),
        ("2026-01-31T12:00:05.123456789+00:00", "2026-01-31 12:00:05.123"),
        ("2024-02-29T23:59:59Z", "2024-02-29 23:59:59.000"),
        ("1970-01-01T00:00:00Z", "1970-01-01 00:00:00.000"),
    ],
)
def test_takes_every_form_of_a_time(log: sqlite3.Connection, text: str, utc: str) -> None:
    assert insert(log, timestamp=text) == 1
    assert log.execute("select timestamp, strftime('%Y-%m-%d %H:%M:%f', timestamp) from model_outcomes").fetchone() == (
        text,
        utc,
    )


@pytest.mark.parametrize(
    "text",
    [
        None, "", "now", "12", 2461072.0, 1769860800, "12:00", "2026-01-31", "31.01.2026 12:00",
        "2026-1-31T12:00:00Z", "2026-02-31T12:00:00Z", "2025-02-29T12:00:00Z", "2026-04-31 00:00",
        "2026-13-01T00:00:00Z", "2026-00-10T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z", "2026-01-31T12:00:60Z", "2026-01-31T12:00:5Z", "2026-01-31T12:00:05.",
        "2026-01-31T12:00:05.Z", "2026-01-31T12:00:05ZZ", "2026-01-31T12:00:05z", "2026-01-31t12:00:05Z",
        "2026-01-31T12:00:05 Z", "2026-01-31T12:00:05+0200", "2026-01-31T12:00:05+2:00", "2026-01-31T12:00:05+02",
        " 2026-01-31T12:00:05", "2026-01-31T12:00:05 ", "2026-01-31T12:00:05\0", "2026-01-31T12:00:05+25:00",
        "2026-01-31T12:00:05,5Z", "2026-01-31T12:00.5Z", "12026-01-31T12:00:05Z", "-026-01-31T12:00:05Z",
        "0001-01-01T00:00:00Z", "0000-01-01T00:00:00+14:00", "1969-12-31T23:59:59Z",
        "2026-01-31T12:00:05Z; drop table model_outcomes", "٢026-01-31T12:00:05Z",
    ],
)  # fmt: skip
def test_refuses_what_is_no_time(log: sqlite3.Connection, text: Any) -> None:
    with pytest.raises(sqlite3.IntegrityError):
        insert(log, timestamp=text)


def moment(**ahead: float) -> datetime:
    return datetime.now(timezone.utc) + timedelta(**ahead)


@pytest.mark.parametrize("zone", [0, 14, -14])
@pytest.mark.parametrize("form", ["%Y-%m-%dT%H:%M:%S.%fZ", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "offset"])
@pytest.mark.parametrize(("ahead", "is_taken"), [({"hours": 23}, True), ({"hours": 25}, False), ({"days": 400}, False)])
def test_a_time_more_than_a_day_ahead_is_refused(log, zone: int, form: str, ahead: dict[str, int], is_taken) -> None:
    when = moment(**ahead)
    text = when.astimezone(timezone(timedelta(hours=zone))).isoformat() if form == "offset" else when.strftime(form)
    if is_taken:
        assert insert(log, timestamp=text) == 1
        return
    with pytest.raises(sqlite3.IntegrityError, match="more than a day ahead of now"):
        insert(log, timestamp=text)
    assert count(log) == 0


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [
        ("1970-01-01T00:30:00+01:00", False),
        ("1970-01-01T13:59:00+14:00", False),
        ("1970-01-01T01:00:00+01:00", True),
        ("1970-01-01T00:00:00-01:00", True),
    ],
)
def test_1970_begins_in_utc(log: sqlite3.Connection, text: str, is_taken: bool) -> None:
    if is_taken:
        assert insert(log, timestamp=text) == 1
        return
    with pytest.raises(sqlite3.IntegrityError, match="before 1970"):
        insert(log, timestamp=text)


@pytest.mark.parametrize(
    ("tokens", "parts", "is_taken"),
    [
        (11, (5, 7), False),
        (4, (5, None), False),
        (6, (None, 7), False),
        (12, (5, 7), True),
        (13, (5, 7), True),
        (0, (5, 7), True),
        (1, (0, 0), True),
        (1, (None, None), True),
        (10**12, (10**12, 10**12), True),
    ],
)
def test_tokens_are_no_fewer_than_their_parts(log, tokens: int, parts: tuple[int | None, int | None], is_taken) -> None:
    columns: dict[str, Any] = {"tokens_used": tokens, "input_tokens": parts[0], "output_tokens": parts[1]}
    fields = {name: value for name, value in {**PLAIN, **columns}.items() if value is not None}
    if is_taken:
        assert insert(log, **columns) == 1
        assert outcome.check(validation.parse_fields(fields), None).tokens_used == tokens
        return
    with pytest.raises(sqlite3.IntegrityError, match="tokens_used is below input_tokens"):
        insert(log, **columns)
    with pytest.raises(outcome.InvalidOutcome, match=r"tokens_used: is below .*, got \d+ for \d+"):
        outcome.check(validation.parse_fields(fields), None)


def test_two_outermost_rows_can_still_be_summed(log: sqlite3.Connection) -> None:
    insert(log, tokens_used=10**12, cost_usd=1e6)
    insert(log, tokens_used=10**12, cost_usd=1e6)
    sums = "select sum(tokens_used), sum(cast(cost_usd * 1e9 as integer)) from model_outcomes"
    assert log.execute(sums).fetchone() == (2 * 10**12, 2 * 10**15)


@pytest.mark.parametrize(
    "statement",
    [
        "update model_outcomes set success = 0",
        "update or ignore model_outcomes set success = 0",
        "update model_outcomes set id = id + 1",
        "delete from model_outcomes",
        "delete from model_outcomes where id = 1",
    ],
)
def test_is_append_only(log: sqlite3.Connection, statement: str) -> None:
    insert(log)
    before = log.execute("select * from model_outcomes").fetchall()
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        log.execute(statement)
    assert log.execute("select * from model_outcomes").fetchall() == before


@pytest.mark.parametrize("verb", ["insert", "insert or replace", "replace", "insert or ignore", "insert or fail"])
@pytest.mark.parametrize("row_id", [-(2**63), -1, 0, 1, 2, 1_000_003, 2**63 - 1])
def test_refuses_an_id_that_replaces_hides_or_uses_up(log: sqlite3.Connection, verb: str, row_id: int) -> None:
    insert(log, model_id="first")
    insert(log, model_id="second")
    try:
        came_in = insert(log, verb, id=row_id)
    except sqlite3.IntegrityError:
        came_in = 0
    assert came_in == 0
    assert log.execute("select id, model_id from model_outcomes").fetchall() == [(1, "first"), (2, "second")]
    assert insert(log) == 1, "the log takes outcomes as before"


def test_takes_an_id_above_the_last_one(log: sqlite3.Connection) -> None:
    insert(log)
    assert insert(log, id=5) == 1
    assert insert(log) == 1
    assert insert(log, id=None) == 1
    assert log.execute("select id from model_outcomes").fetchall() == [(1,), (5,), (6,), (7,)]


def test_rows_of_one_statement_are_all_in_or_none(log: sqlite3.Connection) -> None:
    statement = (
        "insert into model_outcomes (task_type, model_id, success, timestamp)"
        " values ('t', 'm', 1, '2026-01-31T12:00Z'), ('t', 'm', ?, '2026-01-31T12:00Z')"
    )
    with pytest.raises(sqlite3.IntegrityError):
        log.execute(statement, (2,))
    assert count(log) == 0
    log.execute(statement, (0,))
    assert log.execute("select id, success from model_outcomes").fetchall() == [(1, 1), (2, 0)]


def test_foreign_keys_do_not_stand_in_the_way(log: sqlite3.Connection) -> None:
    assert log.execute("pragma foreign_keys").fetchone() == (1,)
    assert insert(log, task_type="never seen", model_id="before") == 1
