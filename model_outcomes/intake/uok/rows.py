"""The definition of a valid row of `llm_task_outcomes`.

The table belongs to another program and need not be STRICT, so any column may hold anything. msgspec validates a batch
of rows in one step. If that fails, each row is examined value by value: another form of a valid value (a flag as text,
a whole number as a float) is converted, and every fault is named.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from model_outcomes.base import messages
from model_outcomes.base.messages import Fault
from model_outcomes.log.load_history import RAW_LIMIT_BYTES

Row = tuple[Any, ...]

# Text has no NUL and no half of a surrogate pair (as which bytes that are not UTF-8 are read).
_TEXT = r"[^\0\ud800-\udfff]*"
Text = Annotated[str, Meta(max_length=500, pattern=rf"^{_TEXT}\Z")]
Name = Annotated[str, Meta(max_length=500, pattern=rf"^{_TEXT}[^\s\0\ud800-\udfff]{_TEXT}\Z")]
Flag = Literal[0, 1]
Count = Annotated[int, Meta(ge=0, le=10**12)]
# A lower number of milliseconds would be before 1973: it is a time in seconds.
Moment = Annotated[int, Meta(ge=10**11, le=253_402_300_799_999)]


class TaskOutcome(msgspec.Struct, array_like=True):
    """One unit of work that the orchestrator gave to a model. `recorded_at` is its start in epoch milliseconds.
    `verification_passed` is None if nothing verified it."""

    model_id: Name
    provider: Text | None
    unit_type: Name
    unit_id: Name
    succeeded: Flag
    retries: Count | None
    escalated: Flag | None
    verification_passed: Flag | None
    blocker_discovered: Flag | None
    duration_ms: Count | None
    tokens_total: Count | None
    cost_usd: Annotated[float, Meta(ge=0, le=1e6)] | None
    recorded_at: Moment


FIELDS = {field.name: field for field in msgspec.structs.fields(TaskOutcome)}
COLUMNS = tuple(FIELDS)
REQUIRED = ("model_id", "unit_type", "unit_id", "succeeded", "recorded_at")
IDENTITY = ("unit_type", "unit_id", "recorded_at")
FLAGS = ("succeeded", "escalated", "verification_passed", "blocker_discovered")
COUNTS = ("retries", "duration_ms", "tokens_total", "recorded_at")
AHEAD = Fault("more than a day ahead of now", "recorded_at")
# With a limit, because Python refuses to convert thousands of digits.
_NUMBER = re.compile(r"\s*\d{1,30}(\.\d{1,30})?\s*")
_FLAG_TEXTS = {"0": 0, "1": 1, "false": 0, "true": 1}


def check(rows: Sequence[Row], horizon: int) -> list[Row | list[Fault]]:
    """Return for each row its values of `COLUMNS`, converted, or every fault in it.

    A time from `horizon` on (epoch ms) is a fault.
    """
    try:
        msgspec.convert(rows, list[TaskOutcome])
    except msgspec.ValidationError:
        return [_checked(row, horizon) for row in rows]
    return [_in_time(row, horizon) for row in rows]


def raw_text(row: Row) -> str:
    """Return the text of a rejected row: its columns as JSON, at most 4 kB."""
    text = json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False, default=repr)
    return text.encode("utf-8", "backslashreplace").decode()[:RAW_LIMIT_BYTES]


def _in_time(row: Row, horizon: int) -> Row | list[Fault]:
    return row if row[-1] < horizon else [AHEAD]


def _checked(row: Row, horizon: int) -> Row | list[Fault]:
    try:
        msgspec.convert(row, TaskOutcome)
        return _in_time(row, horizon)
    except msgspec.ValidationError:
        pass
    values: list[Any] = []
    faults = []
    for (name, field), original in zip(FIELDS.items(), row, strict=True):
        value = _coerced(name, original)
        try:
            values.append(msgspec.convert(value, field.type))
        except msgspec.ValidationError as fault:
            faults.append(_fault(name, value, original, fault))
    return faults or _in_time(tuple(values), horizon)


def _coerced(name: str, value: Any) -> Any:
    """Return the value that another form of it, which a column without a type may hold, clearly means."""
    if isinstance(value, str) and name in FLAGS:
        return _FLAG_TEXTS.get(value.strip().lower(), value)
    if isinstance(value, str) and name in (*COUNTS, "cost_usd") and _NUMBER.fullmatch(value):
        value = float(value) if "." in value else int(value)
    if name == "duration_ms" and isinstance(value, float) and math.isfinite(value):
        return math.floor(value + 0.5)
    if name != "cost_usd" and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _fault(name: str, value: Any, original: Any, fault: msgspec.ValidationError) -> Fault:
    if value is None:
        return Fault("is null (no verdict)" if name == "succeeded" else "is null", name)
    text = repr(original)
    got = text if len(text) <= messages.VALUE_CHARACTERS else text[: messages.VALUE_CHARACTERS - 3] + "..."
    if name in FLAGS:
        return Fault("expected 0 or 1", name, got)
    if name == "recorded_at":
        return Fault("expected epoch milliseconds", name, got)
    if "regex" in str(fault):
        return Fault("is blank, or holds what is no text", name, got)
    return Fault(messages.mismatch(fault).problem, name, got)
