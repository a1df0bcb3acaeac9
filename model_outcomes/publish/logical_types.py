"""Logical types of columns: SQLite stores dates and times as text, and booleans as 0 or 1."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import Literal

Logical = Literal["date", "datetime", "boolean"]

TIME_FORMAT = "%Y-%m-%d %H:%M:%S.%f"  # for strptime; times in the marts are UTC
DATES = ("_date", "_day", "_since")
TIMES = ("_at", "_used")
BOOLEANS = ("is_", "has_")
NAMED_AS_TIMES = ("first_decided_at",)  # whose values are dates
# A valid text stays the same when SQLite rewrites it. '+0 days' is needed to turn 2026-02-30 into 2026-03-02.
IS_VALID = {
    "date": "typeof({0}) = 'text' and {0} is date({0}, '+0 days')",
    "datetime": "typeof({0}) = 'text' and {0} is strftime('%Y-%m-%d %H:%M:%f', {0}, '+0 days')",
    "boolean": "typeof({0}) = 'integer' and {0} in (0, 1)",
}


def of_columns(connection: sqlite3.Connection, table: str, names: Iterable[str]) -> dict[str, Logical]:
    """Return the logical types of the columns that have one, by name.

    The name of a column determines its type. If one of its values does not fit, the column has no logical type.
    """
    logical = {name: type for name in names if (type := _by_name(name))}
    if not logical:
        return {}
    quoted = {name: '"' + name.replace('"', '""') + '"' for name in logical}
    counts = [
        f"total({quoted[name]} is not null and not ({IS_VALID[type].format(quoted[name])}))"
        for name, type in logical.items()
    ]
    invalid = connection.execute(f'select {", ".join(counts)} from "{table}"').fetchone()
    return {name: type for (name, type), count in zip(logical.items(), invalid, strict=True) if not count}


def _by_name(name: str) -> Logical | None:
    if name.startswith(BOOLEANS):
        return "boolean"
    if name.endswith(DATES) or name in NAMED_AS_TIMES:
        return "date"
    return "datetime" if name.endswith(TIMES) else None
