"""Parts of messages that several rooms share: faults of an input as data, values from outside, short lists."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import msgspec

REASONS_SHOWN = 5
NAMES_SHOWN = 20  # in a list
NAMES_IN_LINE = 3
VALUE_CHARACTERS = 60


class Fault(NamedTuple):
    """One fault of an input. `problem` says what is wrong, or what is expected. `field` is empty if the fault is not
    that of one field. `got` is the JSON of the wrong value, shortened."""

    problem: str
    field: str = ""
    got: str = ""

    @property
    def reason(self) -> str:
        """Return the fault without the wrong value, so that equal faults can be counted."""
        return f"{self.field}: {self.problem}" if self.field else self.problem

    def __str__(self) -> str:
        return f"{self.reason}, got {self.got}" if self.got else self.reason


def as_json(faults: Iterable[Fault]) -> str:
    """Return faults as `rejected_outcomes.reasons` holds them: an array of objects, empty keys left out."""
    objects = [{key: text for key in ("field", "problem", "got") if (text := getattr(fault, key))} for fault in faults]
    return json.dumps(objects, ensure_ascii=False)


class Mismatch(NamedTuple):
    """The parts of a message of msgspec: the path of the field, what is expected there, and the type of the value."""

    path: str
    problem: str
    got_type: str


def mismatch(error: msgspec.ValidationError) -> Mismatch:
    """Return the parts of "Expected `int | null`, got `str` - at `$.wait`": "wait", "expected int", "str"."""
    text, _, path = str(error).replace("`", "").replace(" | null", "").partition(" - at $.")
    problem, _, got_type = text.partition(", got ")
    return Mismatch(path, problem[:1].lower() + problem[1:], got_type)


def short(value: Any) -> str:
    """Return a value from outside for a message: its JSON in at most 60 characters."""
    if isinstance(value, str):
        value = value[:VALUE_CHARACTERS]
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (RecursionError, ValueError):
        return "a deeply nested value"
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= VALUE_CHARACTERS else text[: VALUE_CHARACTERS - 3] + "..."


def short_name(name: str) -> str:
    """Return a name from outside for a message: at most 60 characters of valid text."""
    text = short(name)
    return text[1:-1] if text.endswith('"') else text[1:]


def first_names(names: Sequence[str]) -> str:
    """Return the first three names, and the number of the others."""
    others = len(names) - NAMES_IN_LINE
    return ", ".join(names[:NAMES_IN_LINE]) + (f" and {others:,} more" if others > 0 else "")


def reason_lines(reasons: Counter[str]) -> list[str]:
    """Return the five most frequent reasons, each with its count."""
    return [f"{count:,} x {reason}" for reason, count in reasons.most_common(REASONS_SHOWN)]
