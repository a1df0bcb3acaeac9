"""Rejected lines by the load that rejected them. They stay in `rejected_outcomes` until the user forgets them."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass, field

from model_outcomes.base.errors import OutcomesError
from model_outcomes.base.messages import Fault
from model_outcomes.log import store

LINES_SHOWN = 3  # of a load
LOADS_SHOWN = 20


@dataclass
class RejectedLoad:
    """A load with rejected lines: how many there were, how many of each reason were kept, and (number, text) of the
    first ones."""

    load_id: int
    source: str
    loaded_at: str
    count: int
    reasons: Counter[str] = field(default_factory=Counter)
    lines: list[tuple[int, str]] = field(default_factory=list)


# A load that was adopted from an older table, or killed, may have a row for each line and no count.
LOADS = """
    select kept.load_id, source, started_at, max(kept.line_count, rejected_count) as line_count
    from (select load_id, count(*) as line_count from rejected_outcomes group by load_id) as kept
    inner join load_history using (load_id)
"""


def listing(connection: sqlite3.Connection) -> tuple[list[RejectedLoad], int]:
    """Return the last LOADS_SHOWN loads whose rejected lines are not forgotten, the newest first, and the number of all
    such loads."""
    (total,) = connection.execute(f"select count(*) from ({LOADS})").fetchone()
    rows = connection.execute(f"{LOADS} order by kept.load_id desc limit ?", (LOADS_SHOWN,)).fetchall()
    loads = [RejectedLoad(*row) for row in rows]
    for load in loads:
        kept = connection.execute(
            "select line_number, reasons, raw_text from rejected_outcomes where load_id = ? order by rejected_id",
            (load.load_id,),
        )
        for number, reasons, text in kept:
            faults = [each if isinstance(each, dict) else {"problem": each} for each in json.loads(reasons)]
            # One row counts the lines that are not kept.
            is_line = not any("lines" in fault for fault in faults)
            for fault in faults:
                reason = Fault(str(fault.get("problem")), str(fault.get("field") or "")).reason
                load.reasons[reason] += fault.get("lines", 1)
            if is_line and len(load.lines) < LINES_SHOWN:
                load.lines.append((number, text))
    return loads, total


def forget(connection: sqlite3.Connection, load_id: int | None) -> int:
    """Delete the rejected lines of a load (None: of all loads), and return how many they were.

    Raises OutcomesError if the load has none.
    """
    chosen, values = ("", ()) if load_id is None else (" where kept.load_id = ?", (load_id,))
    with store.transaction(connection):
        query = f"select coalesce(sum(line_count), 0) from ({LOADS}{chosen})"
        (lines,) = connection.execute(query, values).fetchone()
        if not lines and load_id is not None:
            raise OutcomesError(
                f"load {load_id} has no rejected lines: `loader rejects` lists the loads that have some"
            )
        where = "" if load_id is None else " where load_id = ?"
        connection.execute(f"delete from rejected_outcomes{where}", values)
    return int(lines)
