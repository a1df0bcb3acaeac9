"""Rejected lines: written to the folder of the run, and counted by later runs.

Only the run that rejects a line names it and exits with 3. So that nobody misses it, each run and `loader doctor`
count the rejected lines until the user forgets them.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import msgspec

from model_outcomes.intake.rejects import LOADS
from model_outcomes.job.summary import UnresolvedRejects

FILES_SHOWN = 20
LINES_WRITTEN = 10_000


def unresolved(connection: sqlite3.Connection) -> UnresolvedRejects:
    """Return the rejected lines that are not forgotten, and the number of unreadable files in the inbox."""
    since, lines = connection.execute(f"select min(started_at), coalesce(sum(line_count), 0) from ({LOADS})").fetchone()
    files = connection.execute(
        f"select source from ({LOADS}) group by source order by max(load_id) desc limit ?", (FILES_SHOWN,)
    )
    (faulty,) = connection.execute("select count(*) from inbox_files where fault is not null").fetchone()
    return UnresolvedRejects(since, lines, [source for (source,) in files], faulty)


def last_id(connection: sqlite3.Connection) -> int:
    """Return the id of the last rejected line, 0 without rejected lines."""
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
