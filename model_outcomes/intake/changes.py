"""Corrections in a load: those of a file of corrections, and verdicts that changed at the source.

A verdict has changed at the source if a known event comes with another verdict than the source gave before. A
correction by somebody else is no change of the source.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence

from model_outcomes.base.messages import Fault
from model_outcomes.intake.batches import NumberedCorrection, Refusals, Row
from model_outcomes.log import corrections
from model_outcomes.log.corrections import SOURCE, Correction, of_success
from model_outcomes.log.outcome import COLUMNS

REASON = "changed at the source"
EVENT_ID, TASK_ID, SUCCESS = (COLUMNS.index(name) for name in ("event_id", "task_id", "success"))
SAME_OUTCOME = "event_id = ? and task_type = ? and model_id = ? and (task_id is null or ? is null or task_id = ?)"
AT_SOURCE = f"""
select success, coalesce(
    (
        select verdict from outcome_corrections
        where outcome_id = log.id and corrected_by = '{SOURCE}' order by correction_id desc limit 1
    ),
    case when success = 1 then 'success' else 'failure' end
)
from model_outcomes as log
where {SAME_OUTCOME}
"""
CHANGED_BEFORE = f"""
select distinct log.event_id from outcome_corrections inner join model_outcomes as log on log.id = outcome_id
where corrected_by = '{SOURCE}' and log.event_id is not null
"""


class Changes:
    """The corrections of one load. `count` is the number of outcomes whose verdict changed at the source; with
    `accepts` each becomes a correction. `corrected` is the number of corrections that were made."""

    def __init__(self, connection: sqlite3.Connection, accepts: bool) -> None:
        self.count = self.corrected = 0
        self._connection, self._accepts = connection, accepts
        self._changed_before: set[str] | None = None

    def correct(self, batch: Iterable[NumberedCorrection], refusals: Refusals) -> int:
        """Make the corrections of a batch in their order. Return the number of those that are made already."""
        duplicates = 0
        for number, line, correction in batch:
            try:
                duplicates += not self._make(correction)
            except sqlite3.IntegrityError as fault:
                refusals.add(number, line, [Fault(in_words(fault))])
        return duplicates

    def is_known(self, row: Row) -> bool:
        """Return True if the log rejected a row only because of its verdict. The verdict has changed, or the change was
        counted before."""
        verdicts = self._at_source(row)
        if verdicts is None or verdicts[0] == row[SUCCESS]:
            return False
        self._compare(row, verdicts[1])
        return True

    def accept(self, row: Row) -> None:
        """Correct the outcome of a row if its verdict has changed at the source."""
        if verdicts := self._at_source(row):
            self._compare(row, verdicts[1])

    def find_reverted(self, rows: Sequence[Row]) -> None:
        """Find the rows that the log ignored as retries, but which have the first verdict again after a change."""
        if self._changed_before is None:
            self._changed_before = {event_id for (event_id,) in self._connection.execute(CHANGED_BEFORE)}
        if not self._changed_before:
            return
        for row in rows:
            if row[EVENT_ID] in self._changed_before:
                recorded, at_source = self._at_source(row) or (None, "")
                if recorded == row[SUCCESS]:
                    self._compare(row, at_source)

    def _at_source(self, row: Row) -> tuple[int, str] | None:
        """Return the recorded success of the outcome in a row, and the verdict that its source gave last."""
        if row[EVENT_ID] is None:
            return None
        task_id = row[TASK_ID]
        query = self._connection.execute(AT_SOURCE, (row[EVENT_ID], *row[:2], task_id, task_id))
        verdicts: tuple[int, str] | None = query.fetchone()
        return verdicts

    def _compare(self, row: Row, at_source: str) -> None:
        verdict = of_success(row[SUCCESS])
        correction = Correction(verdict=verdict, event_id=row[EVENT_ID], reason=REASON, corrected_by=SOURCE)
        if verdict == at_source or corrections.current_verdict(self._connection, correction) == verdict:
            return
        self.count += 1
        if self._accepts:
            self._make(correction)

    def _make(self, correction: Correction) -> bool:
        is_new = self._connection.execute(corrections.INSERT, correction.row()).rowcount == 1
        self.corrected += is_new
        return is_new


def in_words(fault: sqlite3.IntegrityError) -> str:
    """Return why the log rejects a row. The name of a check says what it demands: tokens_used_is_0_to_1e12."""
    message = str(fault)
    return message.removeprefix("CHECK constraint failed: ").replace("_", " ") if "CHECK" in message else message
