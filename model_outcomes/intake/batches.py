"""Batches of rows for the log, and the lines that a load rejects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from model_outcomes.base import messages
from model_outcomes.base.messages import Fault
from model_outcomes.log.corrections import Correction
from model_outcomes.log.load_history import RAW_LIMIT_BYTES, RejectedLine

REJECTS_KEPT = 1_000
REASONS_COUNTED = 1_000
Row = tuple[Any, ...]
NumberedRow = tuple[int, bytes, Row]  # line number, line, row
NumberedCorrection = tuple[int, bytes, Correction]


@dataclass
class Refusals:
    """The lines that a load rejects: all are counted, and the first `room` of them are kept (None: all)."""

    room: int | None = REJECTS_KEPT
    kept: list[RejectedLine] = field(default_factory=list)
    count: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, line_number: int, raw: bytes, faults: Sequence[Fault]) -> None:
        self.count += 1
        for fault in faults:
            self._count(fault.reason, 1)
        if self.room != 0:
            text = raw[:RAW_LIMIT_BYTES].decode("utf-8", "replace")
            self.kept.append(RejectedLine(line_number, messages.as_json(faults), text))
            self.room = self.room and self.room - 1

    def add_unkept(self, lines: int, reason: str) -> None:
        self.count += lines
        self._count(reason, lines)

    def take(self) -> list[RejectedLine]:
        """Return the lines that were kept since the last call."""
        kept, self.kept = self.kept, []
        return kept

    def _count(self, reason: str, lines: int) -> None:
        is_counted = reason in self.reasons or len(self.reasons) < REASONS_COUNTED
        self.reasons[reason if is_counted else "other reasons"] += lines


@dataclass(frozen=True)
class Batch:
    """The rows of one transaction. They reach to byte `end`, where line `end_line` begins.

    `retrace` returns the line of each row, which is needed if the log itself rejects a row. `corrections` are applied
    after the rows, in their order."""

    rows: list[Row]
    end: int
    end_line: int
    retrace: Callable[[], Iterable[NumberedRow]]
    corrections: Sequence[NumberedCorrection] = ()
