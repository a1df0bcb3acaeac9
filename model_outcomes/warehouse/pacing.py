"""How much of the machine a build takes: while outcomes come in, one node of dbt at a time, and never the last core.

Two threads build faster. But where they keep all cores busy, whoever records waits for a core to hear that the
disk has its outcome, several times as long as beside nobody; so the second one rests as long as the log grows.
And a kernel that does not preempt lets a recorder wait even for a single thread, wherever that one happens to be:
so one core is left alone.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Collection
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
    Within the block, all threads of this process keep off its last core as long as the log grows.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._over = threading.Event()
        self._watch = threading.Thread(target=self._leave_a_core, daemon=True)
        self._log: sqlite3.Connection | None = None
        self._changed = threading.Condition()
        self._working: set[int] = set()
        self._last = self._last_outcome()
        self._grew_at = float("-inf")

    def __enter__(self) -> Pace:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._watch.join()

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

    def _leave_a_core(self) -> None:
        every = _cores()
        if len(every) < 2:
            return
        used = every
        while not self._over.wait(LOOK):
            with self._changed:
                grows = self._grows()
            wanted = every - {max(every)} if grows else every
            if wanted != used:
                _keep_to(wanted)
                used = wanted
        if used != every:
            _keep_to(every)

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


def _cores() -> set[int]:
    """Return the numbers of those that this process may use; none where the system cannot say."""
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


def _keep_to(cores: Collection[int]) -> None:
    """Run all threads of this process, and those that they will start, on these cores alone."""
    for thread in threading.enumerate():
        if thread.native_id is not None:
            with contextlib.suppress(OSError):  # it has just ended, or nobody may tell it
                os.sched_setaffinity(thread.native_id, cores)
