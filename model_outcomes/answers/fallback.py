"""Answers from the last published snapshot, for the case that the log cannot be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import datetime, timezone
from pathlib import Path
from typing import TypeVar

from model_outcomes.base import clock, paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.log import store

Answer = TypeVar("Answer")


def from_snapshot(
    database: Path, question: Callable[[sqlite3.Connection], Answer], fault: OutcomesError
) -> tuple[Answer, str]:
    """Return the answer of the last published snapshot, and the time of its publication (UTC, ISO 8601).

    Raises `fault`, the reason why the log cannot answer, if no snapshot can answer either.
    """
    path = paths.snapshot(database)
    try:
        published_at = datetime.fromtimestamp(path.stat().st_mtime, timezone.utc)
        with closing(store.open_snapshot(path)) as connection:
            answer = question(connection)
    except (OSError, sqlite3.Error, OutcomesError):
        raise fault from None
    return answer, clock.to_text(published_at)
