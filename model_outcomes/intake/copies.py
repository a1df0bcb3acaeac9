"""Copies: lines of a file that equal outcomes in the log, and have no event_id by which the log could tell.

Content decides for them: a line is new only if the file has more equal lines than the log had equal rows before the
load. Each line claims one row of the log. A bit for each id notes what is claimed, so the memory does not depend on the
file.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from model_outcomes.intake.batches import Row
from model_outcomes.log import validation
from model_outcomes.log.outcome import COLUMNS, InvalidOutcome, utc_text

TIMESTAMP, EVENT_ID = COLUMNS.index("timestamp"), COLUMNS.index("event_id")
# Of a repeated event_id. The log rejects a row with another one of IDENTITY; task_id may be absent in either.
IDENTITY, MEASURED = ("task_type", "model_id", "success"), ("cost_usd", "tokens_used", "timestamp")
_REPEATED = [COLUMNS.index(name) for name in (*IDENTITY, *MEASURED, "task_id")]
KEYS_PER_QUERY = 500


class Copies:
    """The rows without event_id that were in the log when this was created.

    `is_needed` becomes True at the first row without event_id, if the log was not empty. A load that ends before its
    file then has to begin again, because equal lines may follow.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.is_needed = False
        (self._last_id,) = connection.execute("select coalesce(max(id), 0) from model_outcomes").fetchone()
        (self._latest,) = connection.execute("select max(timestamp) from model_outcomes").fetchone()
        self._claimed = bytearray()
        # The ids of rows not claimed yet, by the hash of the row, by the timestamp. Those of the last batch are kept.
        self._ids: dict[str, dict[int, list[int]]] = {}

    def __contains__(self, row: Row) -> bool:
        """Return True if a row is a copy, and claim the row of the log that it equals. Call `prepare` first."""
        ids = self._ids.get(row[TIMESTAMP], {}).get(hash(row)) if row[EVENT_ID] is None else None
        if not ids:
            return False
        row_id = ids.pop()
        self._claimed[row_id >> 3] |= 1 << (row_id & 7)
        return True

    def prepare(self, rows: Sequence[Row]) -> bool:
        """Read the rows of the log with which the rows of a batch are compared. Return False if none is a copy."""
        if self._latest is None:
            return False
        times = {row[TIMESTAMP] for row in rows if row[EVENT_ID] is None}
        if not times:
            return False
        self.is_needed = True
        if min(times) > self._latest:
            return False
        self._claimed = self._claimed or bytearray((self._last_id >> 3) + 1)
        self._ids = {time: ids for time, ids in self._ids.items() if time in times}
        for keys in _portions(sorted(times - self._ids.keys())):
            for time in keys:
                self._ids[time] = defaultdict(list)
            query = (
                f"select id, {', '.join(COLUMNS)} from model_outcomes where event_id is null and id <= ?"
                f" and timestamp in ({', '.join('?' * len(keys))}) order by id desc"
            )
            for row_id, *row in self._connection.execute(query, (self._last_id, *keys)):
                if not self._claimed[row_id >> 3] >> (row_id & 7) & 1:
                    self._ids[row[TIMESTAMP]][hash((*row,))].append(row_id)
        return True


def repeated_with_other_values(connection: sqlite3.Connection, rows: Sequence[Row]) -> int:
    """Return how many rows the log ignored as repeats of an event_id, although they have another time, cost or number
    of tokens."""
    count = 0
    for portion in _portions([row for row in rows if row[EVENT_ID] is not None]):
        recorded = {
            event_id: values
            for event_id, *values in connection.execute(
                f"select event_id, {', '.join(IDENTITY + MEASURED)}, task_id from model_outcomes"
                f" where event_id in ({', '.join('?' * len(portion))})",
                [row[EVENT_ID] for row in portion],
            )
        }
        for row in portion:
            values = recorded.get(row[EVENT_ID])
            count += values is not None and _differ(values, [row[column] for column in _REPEATED])
    return count


def _differ(recorded: list[Any], new: list[Any]) -> bool:
    *identity, cost, tokens, time, task = recorded
    *new_identity, new_cost, new_tokens, new_time, new_task = new
    if identity != new_identity or (task and new_task and task != new_task):
        return False  # rejected
    if (cost, tokens) != (new_cost, new_tokens):
        return True
    if time == new_time:
        return False
    try:  # plain SQL may have written the same time in another form
        return bool(utc_text(validation.parse_time(time)) != new_time)
    except InvalidOutcome:
        return False


def _portions(values: list[Any]) -> Iterator[list[Any]]:
    for start in range(0, len(values), KEYS_PER_QUERY):
        yield values[start : start + KEYS_PER_QUERY]
