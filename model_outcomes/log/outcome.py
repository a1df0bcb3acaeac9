"""The definition of an outcome: one struct, from which the log's columns and the validation of input follow."""

from __future__ import annotations

import itertools
import os
import re
import time
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Meta

from model_outcomes.base.errors import OutcomesError
from model_outcomes.base.messages import Fault, short

TOKENS_LIMIT = 10**12
ATTRIBUTES_LIMIT_BYTES = 4_096
# The texts that programs write for a missing value, and numbers that a spreadsheet has rounded.
NO_EVENT_ID = re.compile(r"none|null|nil|nan|undefined|n/a|-?[0-9]+([.,][0-9]+)?e[+-]?[0-9]+", re.IGNORECASE)


Name = Annotated[str, Meta(min_length=1, max_length=500)]
Count = Annotated[int, Meta(ge=0, le=TOKENS_LIMIT)]
Share = Annotated[float, Meta(ge=0, le=1)]


class Outcome(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One attempt of one model at one task. Costs in US dollars, durations in milliseconds.

    The fields are the columns of the log in their order, without `id`. The descriptions are the help of
    `loader record`. `cost_usd` None is an unknown cost, 0 is free. `tokens_used` None is the sum of input and output
    tokens if both are known, else unknown.
    """

    task_type: Annotated[Name, Meta(description="Kind of task.")]
    model_id: Annotated[Name, Meta(description="Model that tried the task.")]
    success: Annotated[bool, Meta(description="Verdict.")]
    timeout: Annotated[bool, Meta(description="The time ran out.")] | None = None
    tokens_used: Annotated[Count, Meta(description="Tokens in total.")] | None = None
    cost_usd: (
        Annotated[float, Meta(ge=0, le=1e6, description="Cost in US dollars: 0 is free, absent is unknown.")] | None
    ) = None
    timestamp: Annotated[datetime, Meta(tz=True, description="Time with an offset: 2026-01-31T12:00:00Z.")]
    event_id: Annotated[Name, Meta(description="Idempotency key: recorded twice, counted once.")] | None = None
    task_id: Annotated[Name, Meta(description="Name of the task, if several models try it.")] | None = None
    experiment_id: Annotated[Name, Meta(description="Declared experiment of the outcome.")] | None = None
    recorded_by: Annotated[Name, Meta(description="Program or project that records it.")] | None = None
    duration_ms: Annotated[Count, Meta(description="Duration in milliseconds.")] | None = None
    input_tokens: Annotated[Count, Meta(description="Tokens in the input, cached ones included.")] | None = None
    output_tokens: Annotated[Count, Meta(description="Tokens in the output.")] | None = None
    error_type: Annotated[Name, Meta(description="Why it failed (see the seed error_types).")] | None = None
    cost_source: (
        Annotated[Literal["provider", "local", "plan"], Meta(description="Source of the cost; plan is a flat rate.")]
        | None
    ) = None
    agent: Annotated[Name, Meta(description="Harness that ran the model, with its version.")] | None = None
    effort: Annotated[Name, Meta(description="Reasoning effort: low, medium, high, or a budget.")] | None = None
    variant: Annotated[Name, Meta(description="What else differs on purpose: a prompt, a set of tools.")] | None = None
    attempt: Annotated[int, Meta(ge=1, le=1_000_000, description="1, 2, ... if a task is tried again.")] | None = None
    score: Annotated[Share, Meta(description="Graded result from 0 to 1.")] | None = None
    propensity: (
        Annotated[float, Meta(gt=0, le=1, description="Probability with which a policy chose the model.")] | None
    ) = None
    cached_input_tokens: Annotated[Count, Meta(description="Tokens in the input that came from a cache.")] | None = None
    attributes: Annotated[dict[str, Any], Meta(description="Further facts, a JSON object of at most 4 kB.")] | None = (
        None
    )

    def faults(self, horizon: datetime | None) -> list[Fault]:
        """Return the faults that types do not show. A timestamp after `horizon` is one (None: no limit)."""
        faults = []
        for name, text in (("task_type", self.task_type), ("model_id", self.model_id)):
            if text.isspace():
                faults.append(Fault("is blank", name))
            elif "\0" in text:
                faults.append(Fault("holds a NUL character", name))
        if self.tokens_used and (self.input_tokens or self.output_tokens):
            parts = (self.input_tokens or 0) + (self.output_tokens or 0)
            if self.tokens_used < min(parts, TOKENS_LIMIT):
                faults.append(
                    Fault("is below input_tokens + output_tokens", "tokens_used", f"{self.tokens_used} for {parts}")
                )
        cached, whole = self.cached_input_tokens, self.input_tokens
        if cached is not None and whole is not None and cached > whole:
            faults.append(Fault("is above input_tokens", "cached_input_tokens", f"{cached} of {whole}"))
        if self.event_id is not None and len(self.event_id) < 30 and NO_EVENT_ID.fullmatch(self.event_id):
            faults.append(Fault("names no event", "event_id", short(self.event_id)))
        if self.attributes is not None and (problem := _problem_of(self.attributes)):
            faults.append(Fault(problem, "attributes"))
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
            cost, source = 0.0, source if source == "plan" else None
        elif source is None:
            source = "provider"
        return (
            self.task_type,
            self.model_id,
            self.success,
            self.timeout or False,
            tokens,
            cost,
            utc_text(self.timestamp),
            self.event_id,
            self.task_id,
            self.experiment_id,
            self.recorded_by,
            self.duration_ms,
            self.input_tokens,
            self.output_tokens,
            self.error_type,
            source,
            self.agent,
            self.effort,
            self.variant,
            self.attempt,
            self.score,
            self.propensity,
            self.cached_input_tokens,
            None if self.attributes is None else attributes_as_json(self.attributes),
        )


FIELDS = {field.name: field for field in msgspec.structs.fields(Outcome)}
REQUIRED = tuple(name for name, field in FIELDS.items() if field.required)
COLUMNS = tuple(FIELDS)  # of the log, in the order of `Outcome.row()`
INSERT = f"insert into model_outcomes ({', '.join(COLUMNS)}) values ({', '.join('?' * len(COLUMNS))})"
EARLIEST = datetime(1970, 1, 1, tzinfo=timezone.utc)
SURROGATE = re.compile("[\ud800-\udfff]")
_process = 0, ""  # its id, and random hex digits
_numbers = itertools.count()


class InvalidOutcome(OutcomesError, ValueError):
    """An input that is no valid outcome. `faults` has every fault in it."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def utc_text(moment: datetime) -> str:
    """Return the same text as clock.to_text, 14 times faster: a load converts millions of rows."""
    if moment.tzinfo is not timezone.utc:
        moment = moment.astimezone(timezone.utc)
    text: str = msgspec.to_builtins(moment)
    return text if len(text) == 27 else f"{text[:19]}.000000Z"  # a whole second has no fraction


def horizon(now: datetime) -> datetime:
    """Return the latest timestamp that is accepted: one day ahead, because clocks may run fast."""
    return now + timedelta(days=1)


def described(field: msgspec.structs.FieldInfo) -> tuple[str, Any]:
    """Return the description of a field, and its type without limits and without None."""
    type, meaning = field.type, ""
    while arguments := get_args(type):
        if metadata := getattr(type, "__metadata__", ()):
            meaning = next((meta.description for meta in metadata if meta.description), meaning)
        elif get_origin(type) is not Union:
            break
        type = arguments[0]
    return meaning, type


TYPES = {name: described(field)[1] for name, field in FIELDS.items()}


def attributes_as_json(attributes: dict[str, Any]) -> str:
    """Return attributes as the log keeps them: JSON with its keys in order."""
    return msgspec.json.encode(attributes, order="deterministic").decode()


def _problem_of(attributes: dict[str, Any]) -> str | None:
    """Return why the log cannot keep attributes, None if it can."""
    try:
        size = len(attributes_as_json(attributes).encode())
    except UnicodeEncodeError:
        return "is not Unicode text"
    except (TypeError, ValueError, RecursionError):
        return "holds a value that JSON does not have"
    if size > ATTRIBUTES_LIMIT_BYTES:
        return f"is longer than {ATTRIBUTES_LIMIT_BYTES:,} bytes"
    return None


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
    texts = ((name, getattr(outcome, name)) for name, type in TYPES.items() if type is str)
    return InvalidOutcome([Fault("is not Unicode text", name) for name, text in texts if SURROGATE.search(text or "")])


def check(outcome: Outcome, horizon: datetime | None) -> Outcome:
    """Return the outcome. Raises InvalidOutcome if it has faults that types do not show."""
    if faults := outcome.faults(horizon):
        raise InvalidOutcome(faults)
    return outcome
