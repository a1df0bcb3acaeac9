"""Rows that should be there against rows that are there, by key."""

from __future__ import annotations

import math
import sqlite3
from heapq import merge
from itertools import groupby, repeat
from typing import Any

import msgspec

Row = tuple[Any, ...]

WANTED, THERE = 0, 1


class Difference(msgspec.Struct, frozen=True):
    """One figure that is not what the log says; costs are whole nano-dollars. The column `*`
    stands for the row itself, with the number of rows of that key as `expected` and `found`."""

    table: str
    key: dict[str, Any]
    column: str
    expected: Any
    found: Any


def compare(
    connection: sqlite3.Connection, table: str, keys: int, found: str, expected: str, values: dict[str, Any]
) -> tuple[int, list[Difference]]:
    """Return the number of rows that should be there, and what differs; the first `keys` columns are the key."""
    order = ", ".join(str(number + 1) for number in range(keys))
    there = connection.execute(f"{found} order by {order}")
    wanted = connection.execute(f"select * from ({expected}) order by {order}", values)
    names = [column[0] for column in there.description]

    def key_of(entry: tuple[Row, int]) -> Row:
        return tuple(map(_sortable, entry[0][:keys]))

    count, differences = 0, []
    both = merge(zip(wanted, repeat(WANTED)), zip(there, repeat(THERE)), key=key_of)
    for _, group in groupby(both, key=key_of):
        rows: tuple[list[Row], list[Row]] = ([], [])
        for row, side in group:
            rows[side].append(row)
        count += len(rows[WANTED])
        named = dict(zip(names, (rows[WANTED] or rows[THERE])[0][:keys], strict=False))
        if len(rows[WANTED]) == len(rows[THERE]) == 1:
            differences += [
                Difference(table, named, name, want, have)
                for name, want, have in zip(names, rows[WANTED][0], rows[THERE][0], strict=True)
                if not _agree(want, have)
            ]
        else:
            differences.append(Difference(table, named, "*", len(rows[WANTED]), len(rows[THERE])))
    return count, differences


def _sortable(value: Any) -> tuple[int, Any]:
    """Return what sorts as SQLite does: nulls, numbers, texts, blobs. A damaged table has any of them in a key."""
    if value is None:
        return 0, 0
    return (1 if isinstance(value, int | float) else 2 if isinstance(value, str) else 3), value


def _agree(want: Any, have: Any) -> bool:
    """Return whether two values agree. Sums of squares are doubles, whose last digits depend on the order."""
    if isinstance(want, float) and isinstance(have, float):
        return math.isclose(want, have, rel_tol=1e-9, abs_tol=1e-12)
    return bool(want == have)
