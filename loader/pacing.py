"""How much of the machine a build takes: one node of dbt at a time while outcomes come in.

Two threads build faster. But where they keep all cores busy, whoever records waits for a core to hear that the
disk has its outcome, several times as long as beside nobody; so the second one rests as long as the log grows.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dbt_common.events.base_types import EventMsg

QUIET = 5.0  # seconds without a new outcome, after which nobody is taken to record
LOOK = 0.25  # seconds between two looks of a thread that rests
PATIENCE = 60.0  # seconds that a thread rests at most, should dbt never tell that the other one is done


class Pace:
    """What dbtRunner calls with each of its events, in the thread to which it happens.

    A thread that is to begin a node rests while another thread is at one and the log of `database` grows.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._log: sqlite3.Connection | None = None
        self._changed = threading.Condition()
        self._working: set[int] = set()
        self._last = self._last_outcome()
        self._grew_at = float("-inf")

    def __call__(self, event: EventMsg) -> None:
        if event.info.name == "NodeStart":
            self._begin(threading.get_ident())
        elif event.info.name == "NodeFinished":
            self._end(threading.get_ident())

    def _begin(self, thread: int) -> None:
        until = time.monotonic() + PATIENCE
        with self._changed:
            self._working.discard(thread)
            while self._working and self._grows() and time.monotonic() < until:
                self._changed.wait(LOOK)
            self._working.add(thread)

    def _end(self, thread: int) -> None:
        with self._changed:
            self._working.discard(thread)
            self._changed.notify()

    def _grows(self) -> bool:
        last = self._last_outcome()
        if last != self._last:
            self._last, self._grew_at = last, time.monotonic()
        return time.monotonic() - self._grew_at < QUIET

    def _last_outcome(self) -> int | None:
        """Its id; None where the file cannot say, which dbt will have to say better."""
        try:
            if self._log is None:
                address = f"{self._database.absolute().as_uri()}?mode=ro"
                self._log = sqlite3.connect(address, uri=True, check_same_thread=False)
            ((last,),) = self._log.execute("select max(id) from model_outcomes").fetchall()
        except sqlite3.Error:
            return None
        return int(last) if last is not None else None
