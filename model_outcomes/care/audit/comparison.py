"""Compares the rows of a table with the expected rows, by key."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Mapping
from heapq import merge
from itertools import groupby, repeat
from typing import Any

import msgspec

Row = tuple[Any, ...]

EXPECTED, ACTUAL = 0, 1


class Difference(msgspec.Struct, frozen=True):
    """One figure that differs from the log. Costs are whole nano-dollars. The column `*` is the row itself: `expected`
    and `actual` are then the numbers of rows with the key."""

    table: str
    key: dict[str, Any]
    column: str
    expected: Any
    actual: Any


def compare(
    connection: sqlite3.Connection,
    table: str,
    keys: int,
    query: str,
    expected: str,
    values: dict[str, Any],
    tolerances: Mapping[str, float],
) -> tuple[int, list[Difference]]:
    """Return the number of expected rows, and the differences. The first `keys` columns are the key. `tolerances` has
    by column the greatest difference that counts as equal."""
    order = ", ".join(str(number + 1) for number in range(keys))
    found_rows = connection.execute(f"{query} order by {order}")
    expected_rows = connection.execute(f"select * from ({expected}) order by {order}", values)
    names = [column[0] for column in found_rows.description]

    def key_of(entry: tuple[Row, int]) -> Row:
        return tuple(map(_sortable, entry[0][:keys]))

    count, differences = 0, []
    both = merge(zip(expected_rows, repeat(EXPECTED)), zip(found_rows, repeat(ACTUAL)), key=key_of)
    for _, group in groupby(both, key=key_of):
        rows: tuple[list[Row], list[Row]] = ([], [])
        for row, side in group:
            rows[side].append(row)
        count += len(rows[EXPECTED])
        named = dict(zip(names, (rows[EXPECTED] or rows[ACTUAL])[0][:keys], strict=False))
        if len(rows[EXPECTED]) == len(rows[ACTUAL]) == 1:
            differences += [
                Difference(table, named, name, want, have)
                for name, want, have in zip(names, rows[EXPECTED][0], rows[ACTUAL][0], strict=True)
                if not _agree(want, have, tolerances.get(name, 0.0))
            ]
        else:
            differences.append(Difference(table, named, "*", len(rows[EXPECTED]), len(rows[ACTUAL])))
    return count, differences


def _sortable(value: Any) -> tuple[int, Any]:
    """Return a value that sorts as in SQLite: nulls, numbers, texts, blobs. A damaged key can be any of them."""
    if value is None:
        return 0, 0
    return (1 if isinstance(value, int | float) else 2 if isinstance(value, str) else 3), value


def _agree(want: Any, have: Any, tolerance: float) -> bool:
    """Return whether two values agree. The last digits of sums of squares depend on the order of the rows."""
    if isinstance(want, float) and isinstance(have, float):
        return math.isclose(want, have, rel_tol=1e-9, abs_tol=max(tolerance, 1e-12))
    return bool(want == have)
