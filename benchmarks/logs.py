"""Logs to measure on: two years of 150 cells at any size, in a file made by the loader, guards on.

The rows come from a numbers CTE, in order of time, so that ten million of them take minutes.
Successive rows go through the cells in turn, the days pass evenly, verdicts and costs are
scattered by a multiplicative hash; nothing is random, and every run has the same rows.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta, timezone
from pathlib import Path

from model_outcomes.log import store

DAYS = 730
TASK_TYPES = 15
MODELS = 10
CHUNK = 200_000

# A multiplicative hash of the number: the same for the same row, without a pattern over cells and days.
INSERT = f"""
insert into model_outcomes (task_type, model_id, success, tokens_used, cost_usd, timestamp, cost_source)
with recursive numbers (number) as (
    select :first
    union all
    select number + 1 from numbers where number + 1 < :last
),
hashed as (
    select number, (number * 2654435761) % 4294967296 / 65536 % 1000 as hash from numbers
)
select
    printf('task-%02d', number % {TASK_TYPES}),
    printf('model-%02d', number / {TASK_TYPES} % {MODELS}),
    hash < 700 + number / {TASK_TYPES} % {MODELS} * 20,
    1000 + hash * 7,
    (1000 + hash * 7) / 250000.0,
    strftime('%Y-%m-%dT%H:%M:%fZ', :start, '+' || printf('%.3f', number * :seconds) || ' seconds'),
    'provider'
from hashed
"""


def make(path: Path, rows: int) -> None:
    """A new log of `rows` outcomes, spread evenly over the `DAYS` up to now."""
    connection = store.create_or_open(path)
    start = datetime.now(timezone.utc) - timedelta(days=DAYS)
    _insert(connection, 0, rows, start, DAYS * 86_400 / rows)
    connection.close()


def append(path: Path, rows: int) -> None:
    """`rows` more outcomes, one a millisecond up to now."""
    connection = store.create_or_open(path)
    (count,) = connection.execute("select coalesce(max(id), 0) from model_outcomes").fetchone()
    # The numbers go on where the log ends: the hash and the cells do too.
    start = datetime.now(timezone.utc) - timedelta(milliseconds=count + rows)
    _insert(connection, count, count + rows, start, 0.001)
    connection.close()


def _insert(connection: sqlite3.Connection, first: int, last: int, start: datetime, seconds: float) -> None:
    for chunk in range(first, last, CHUNK):
        values = {"first": chunk, "last": min(chunk + CHUNK, last), "seconds": seconds}
        with store.transaction(connection):
            connection.execute(INSERT, {**values, "start": start.strftime("%Y-%m-%d %H:%M:%S")})
