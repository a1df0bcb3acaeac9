"""What a row of `llm_task_outcomes` must be to be counted.

The table belongs to another program and need not be STRICT, so any column may hold anything. Rows
that are right are validated by msgspec, a batch in one step; only a row that is not is looked at
again, value by value, so that what merely looks different (a flag as text, a whole number as a
float) is taken, and every fault of the rest is named.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Row = tuple[Any, ...]

# NUL and halves of surrogate pairs (what bytes that are no UTF-8 are read as) are no text.
_TEXT = r"[^\0\ud800-\udfff]*"
Text = Annotated[str, Meta(max_length=500, pattern=rf"^{_TEXT}\Z")]
Name = Annotated[str, Meta(max_length=500, pattern=rf"^{_TEXT}[^\s\0\ud800-\udfff]{_TEXT}\Z")]
Flag = Literal[0, 1]
Count = Annotated[int, Meta(ge=0, le=10**12)]
# As milliseconds, anything lower is before 1973: a time in seconds.
Moment = Annotated[int, Meta(ge=10**11, le=253_402_300_799_999)]


class TaskOutcome(msgspec.Struct, array_like=True):
    """One unit of work that the orchestrator gave to a model; `recorded_at` is its start in epoch
    milliseconds. `verification_passed` null: nothing verified it."""

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
RAW_LIMIT = 4096
# So many digits and no more: Python refuses to make a number of thousands.
_NUMBER = re.compile(r"\s*\d{1,30}(\.\d{1,30})?\s*")
_FLAG_TEXTS = {"0": 0, "1": 1, "false": 0, "true": 1}


def check(rows: Sequence[Row], horizon: int) -> list[Row | list[str]]:
    """Return for each row its values of `COLUMNS` as they are counted, or every fault in it.

    `horizon` is the first moment (epoch ms) that is too far ahead.
    """
    try:
        msgspec.convert(rows, list[TaskOutcome])
    except msgspec.ValidationError:
        return [_checked(row, horizon) for row in rows]
    return [_in_time(row, horizon) for row in rows]


def raw_text(row: Row) -> str:
    """Return a row as it is kept where it is refused: its columns as JSON, at most 4 kB of them."""
    text = json.dumps(dict(zip(COLUMNS, row, strict=True)), ensure_ascii=False, default=repr)
    return text.encode("utf-8", "backslashreplace").decode()[:RAW_LIMIT]


AHEAD = "recorded_at: more than a day ahead of now"


def _in_time(row: Row, horizon: int) -> Row | list[str]:
    return row if row[-1] < horizon else [AHEAD]


def _checked(row: Row, horizon: int) -> Row | list[str]:
    try:
        msgspec.convert(row, TaskOutcome)
        return _in_time(row, horizon)
    except msgspec.ValidationError:
        pass
    values: list[Any] = []
    faults = []
    for (name, field), found in zip(FIELDS.items(), row, strict=True):
        value = _coerced(name, found)
        try:
            values.append(msgspec.convert(value, field.type))
        except msgspec.ValidationError as fault:
            faults.append(_plain(name, value, found, str(fault)))
    return faults or _in_time(tuple(values), horizon)


def _coerced(name: str, value: Any) -> Any:
    """Return what a column without types may hold in place of the right thing, and surely means."""
    if isinstance(value, str) and name in FLAGS:
        return _FLAG_TEXTS.get(value.strip().lower(), value)
    if isinstance(value, str) and name in (*COUNTS, "cost_usd") and _NUMBER.fullmatch(value):
        value = float(value) if "." in value else int(value)
    if name == "duration_ms" and isinstance(value, float) and math.isfinite(value):
        return math.floor(value + 0.5)
    if name != "cost_usd" and isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _plain(name: str, value: Any, found: Any, said: str) -> str:
    if value is None:
        return f"{name}: is null" + (" (no verdict)" if name == "succeeded" else "")
    shown = repr(found) if len(repr(found)) <= 60 else repr(found)[:57] + "..."
    if name in FLAGS:
        return f"{name}: expected 0 or 1, got {shown}"
    if name == "recorded_at":
        return f"{name}: expected epoch milliseconds, got {shown}"
    if "regex" in said:
        return f"{name}: is blank, or holds what is no text, got {shown}"
    said = said.partition(", got ")[0].replace(" | null", "").replace("`", "")
    return f"{name}: {said[:1].lower()}{said[1:]}, got {shown}"
