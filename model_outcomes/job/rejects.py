"""Rejected lines and unreadable files, which later runs count.

A run names a rejected line once and is exit 3 once; the next run is exit 0. So each run and `loader doctor` count
the lines that were rejected in the last REJECTS_DAYS days.
"""

from __future__ import annotations

import sqlite3
from datetime import timedelta

from model_outcomes.base import clock
from model_outcomes.job.summary import UnresolvedRejects

REJECTS_DAYS = 7
FILES_NAMED = 20


def unresolved(connection: sqlite3.Connection) -> UnresolvedRejects:
    """Count the rejected lines of the last REJECTS_DAYS days, and the files of the inbox that cannot be read."""
    since = clock.to_text(clock.utc_now() - timedelta(days=REJECTS_DAYS))
    (lines,) = connection.execute(
        "select coalesce(sum(rejected_count), 0) from load_history where rejected_count > 0 and started_at >= ?",
        (since,),
    ).fetchone()
    files = connection.execute(
        "select source from load_history where rejected_count > 0 and started_at >= ?"
        " group by source order by max(load_id) desc limit ?",
        (since, FILES_NAMED),
    )
    (faulty,) = connection.execute("select count(*) from inbox_files where fault is not null").fetchone()
    return UnresolvedRejects(since, lines, [source for (source,) in files], faulty)
