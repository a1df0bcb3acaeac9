"""Rejected lines: written to the folder of the run, and counted by later runs.

Only the run that rejects a line names it and exits with 3. So that nobody misses it, each run and `loader doctor`
count the lines that were rejected in the last REJECTS_DAYS days.
"""

from __future__ import annotations

import json
import sqlite3
from datetime import timedelta
from pathlib import Path

import msgspec

from model_outcomes.base import clock
from model_outcomes.job.summary import UnresolvedRejects

REJECTS_DAYS = 7
FILES_SHOWN = 20
LINES_WRITTEN = 10_000


def unresolved(connection: sqlite3.Connection) -> UnresolvedRejects:
    """Return the rejected lines of the last REJECTS_DAYS days, and the number of unreadable files in the inbox."""
    since = clock.to_text(clock.utc_now() - timedelta(days=REJECTS_DAYS))
    (lines,) = connection.execute(
        "select coalesce(sum(rejected_count), 0) from load_history where rejected_count > 0 and started_at >= ?",
        (since,),
    ).fetchone()
    files = connection.execute(
        "select source from load_history where rejected_count > 0 and started_at >= ?"
        " group by source order by max(load_id) desc limit ?",
        (since, FILES_SHOWN),
    )
    (faulty,) = connection.execute("select count(*) from inbox_files where fault is not null").fetchone()
    return UnresolvedRejects(since, lines, [source for (source,) in files], faulty)


def last_id(connection: sqlite3.Connection) -> int:
    """Return the id of the last rejected line, 0 if there is none."""
    rejected_id: int = connection.execute("select coalesce(max(rejected_id), 0) from rejected_outcomes").fetchone()[0]
    return rejected_id


def write(connection: sqlite3.Connection, after: int, path: Path) -> None:
    """Write the first LINES_WRITTEN lines that were rejected after the id `after` as JSON Lines; no file if there are
    none. The table `rejected_outcomes` has all of them."""
    rows = connection.execute(
        "select source, line_number, reasons, raw_text from rejected_outcomes where rejected_id > ?"
        " order by rejected_id limit ?",
        (after, LINES_WRITTEN),
    ).fetchall()
    if rows:
        lines = [
            {"source": source, "line_number": number, "reasons": json.loads(reasons), "raw_text": raw_text}
            for source, number, reasons, raw_text in rows
        ]
        path.write_bytes(msgspec.json.Encoder().encode_lines(lines))
