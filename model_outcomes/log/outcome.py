"""The definition of an outcome: one struct, from which the log's columns and the validation of input follow."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from model_outcomes.base.errors import OutcomesError
from model_outcomes.base.messages import Fault

Name = Annotated[str, Meta(min_length=1, max_length=500)]
TOKENS_LIMIT = 10**12
Count = Annotated[int, Meta(ge=0, le=TOKENS_LIMIT)]

# The columns of the log that an outcome fills, in the order of `Outcome.row()`.
COLUMNS = (
    "task_type",
    "model_id",
    "success",
    "timeout",
    "tokens_used",
    "cost_usd",
    "timestamp",
    "event_id",
    "task_id",
    "experiment_id",
    "recorded_by",
    "duration_ms",
    "input_tokens",
    "output_tokens",
    "error_type",
    "cost_source",
)
INSERT = f"insert into model_outcomes ({', '.join(COLUMNS)}) values ({', '.join('?' * len(COLUMNS))})"


class Outcome(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One attempt of one model at one task. Costs in US dollars, durations in milliseconds.

    `cost_usd` None is an unknown cost, 0 is free. `tokens_used` None is the sum of input and output tokens if both
    are known, else unknown.
    """

    task_type: Name
    model_id: Name
    success: bool
    timestamp: Annotated[datetime, Meta(tz=True)]
    timeout: bool | None = None
    tokens_used: Count | None = None
    cost_usd: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    event_id: Name | None = None
    task_id: Name | None = None
    experiment_id: Name | None = None
    recorded_by: Name | None = None
    duration_ms: Count | None = None
    input_tokens: Count | None = None
    output_tokens: Count | None = None
    error_type: Name | None = None
    cost_source: Literal["provider", "local"] | None = None

    def faults(self, horizon: datetime | None) -> list[Fault]:
        """Return the faults that types do not show. A timestamp after `horizon` is one (None: no limit)."""
        faults = []
        for name, text in (("task_type", self.task_type), ("model_id", self.model_id)):
            if text.isspace():
                faults.append(Fault("is blank", name))
            elif "\0" in text:
                faults.append(Fault("holds a NUL character", name))
        if self.success and self.timeout:
            faults.append(Fault("true contradicts success: true", "timeout"))
        if self.tokens_used and (self.input_tokens or self.output_tokens):
            parts = (self.input_tokens or 0) + (self.output_tokens or 0)
            if self.tokens_used < min(parts, TOKENS_LIMIT):
                faults.append(
                    Fault("is below input_tokens + output_tokens", "tokens_used", f"{self.tokens_used} for {parts}")
                )
        if horizon is not None and self.timestamp > horizon:
            faults.append(Fault("more than a day ahead of now", "timestamp"))
        elif self.timestamp < EARLIEST:
            faults.append(Fault("before 1970", "timestamp"))
        return faults

    def row(self) -> tuple[Any, ...]:
        """Return the values of `COLUMNS`."""
        tokens, cost, source = self.tokens_used, self.cost_usd, self.cost_source
        if tokens is None:
            tokens = 0
            if self.input_tokens is not None and self.output_tokens is not None:
                tokens = min(self.input_tokens + self.output_tokens, TOKENS_LIMIT)
        if cost is None:
            cost, source = 0.0, None
        elif source is None:
            source = "provider"
        return (
            self.task_type,
            self.model_id,
            self.success,
            self.timeout or False,
            tokens,
            cost,
            _utc_text(self.timestamp),
            self.event_id,
            self.task_id,
            self.experiment_id,
            self.recorded_by,
            self.duration_ms,
            self.input_tokens,
            self.output_tokens,
            self.error_type,
            source,
        )


FIELDS = {field.name: field for field in msgspec.structs.fields(Outcome)}
REQUIRED = tuple(name for name, field in FIELDS.items() if field.required)
TEXTS = ("task_type", "model_id", "event_id", "task_id", "experiment_id", "recorded_by", "error_type")
EARLIEST = datetime(1970, 1, 1, tzinfo=timezone.utc)
SURROGATE = re.compile("[\ud800-\udfff]")
_process = 0, ""  # its id, and random hex digits
_numbers = itertools.count()


class InvalidOutcome(OutcomesError, ValueError):
    """An input that is no valid outcome. `faults` has every fault in it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def _utc_text(moment: datetime) -> str:
    """Return the same text as clock.to_text, 14 times faster: a load converts millions of rows."""
    if moment.tzinfo is not timezone.utc:
        moment = moment.astimezone(timezone.utc)
    text: str = msgspec.to_builtins(moment)
    return text if len(text) == 27 else f"{text[:19]}.000000Z"  # a whole second has no fraction


def horizon(now: datetime) -> datetime:
    """Return the latest timestamp that is accepted: one day ahead, because clocks may run fast."""
    return now + timedelta(days=1)


def new_event_id() -> str:
    """Return a unique event_id: the time in nanoseconds, so that the log's index grows at its end, a serial number,
    and random digits of this process."""
    global _process
    pid = os.getpid()
    if _process[0] != pid:  # a fork has what its parent had
        _process = pid, os.urandom(5).hex()
    return f"{time.time_ns():x}-{next(_numbers):x}-{_process[1]}"


def not_unicode(outcome: Outcome) -> InvalidOutcome:
    """Return the error of an outcome that cannot be encoded, because a field has half a surrogate pair."""
    texts = ((name, getattr(outcome, name)) for name in TEXTS)
    return InvalidOutcome([Fault("is not Unicode text", name) for name, text in texts if SURROGATE.search(text or "")])


def check(outcome: Outcome, horizon: datetime | None) -> Outcome:
    """Return the outcome. Raises InvalidOutcome if it has faults that types do not show."""
    if faults := outcome.faults(horizon):
        raise InvalidOutcome(faults)
    return outcome
