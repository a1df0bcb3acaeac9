"""The audit: every count and sum of the built tables and views, computed again from the raw log.

Its SQL reads the log, the opening balances and the seeds, and shares nothing with the dbt models.
Everything is compared as of the same rows: live views as of now, a table as of the last outcome
that it has seen, all of it in one reading transaction. So outcomes that came after the last build
are no difference, and neither are builds and recorders at work meanwhile.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from heapq import merge
from importlib import resources
from itertools import groupby
from typing import Any

import msgspec

Row = tuple[Any, ...]
Check = tuple[str, int, str, str, Mapping[str, Any]]
"""A table or view, how many of the columns are its key, the select of what it says and of what it
should say, and the values for both."""


class Difference(msgspec.Struct, frozen=True):
    """One figure that is not what the log says; costs in nano-dollars. None as `expected` or
    `found` of the column `*` means that the log or the table has no such row."""

    table: str
    key: dict[str, Any]
    column: str
    expected: Any
    found: Any


class Audit(msgspec.Struct, frozen=True):
    """What was compared, and what differs."""

    outcomes: int
    rows: dict[str, int]
    differences: list[Difference]


def audit(connection: sqlite3.Connection) -> Audit:
    """Compare what dbt built with the log.

    Raises sqlite3.OperationalError ("no such table") before the first build.
    """
