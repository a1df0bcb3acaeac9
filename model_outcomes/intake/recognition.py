"""Recognition: which format the content of a file has, and if it holds outcomes at all.

The content decides, because names are often wrong. A file without outcomes is refused as a whole, with a line that says
what it looks like.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from model_outcomes.base.messages import first_names, short_name
from model_outcomes.intake.sources import LINE_LIMIT_BYTES
from model_outcomes.log import outcome, validation

SAMPLE_LINES = 1_000
KEY_BYTES = 4_096
_KEY = re.compile(rb'"([^"\\]{1,200})"\s*:')
# A line or a header with one of these is meant as an outcome, or as the correction of one. Its other faults are named
# line by line.
EXPECTED_FIELDS = frozenset((*outcome.REQUIRED, "verdict"))
ADVICE = "load the file of a tool with --as TOOL, or name the fields with --map (--explain proposes them)"
_FOREIGN = (
    (re.compile(rb"<(!doctype html|html|\?xml)", re.IGNORECASE), "is a web page or XML: was the download refused?"),
    (re.compile(rb"version https://git-lfs"), "is a pointer of Git LFS: run `git lfs pull` first"),
    (re.compile(rb"SQLite format 3\0"), "is an SQLite database"),
    (re.compile(rb"PK\x03\x04"), "is a zip or a spreadsheet: save it as CSV"),
    (re.compile(rb"PAR1"), "is Parquet: save it as CSV or JSON Lines"),
    (re.compile(rb"%PDF"), "is a PDF"),
)
# A JSON value over several lines: the first line ends within it, and the second goes on with it.
_PRETTY = re.compile(
    rb"\{[ \t]*\r?\n\s*[\"}]|\{[^\n]*[{,]\s*\r?\n\s*[\"}]|\{[^\n]*[\[:][ \t]*\r?\n\s*[\"\[{}\]0-9tfn-]"
)
_ARRAY = re.compile(rb"\[\s*([{\]]|$)")


def foreign(beginning: bytes) -> str | None:
    """Return what a file is that can hold no outcomes, by its first bytes; None if they show nothing."""
    return next((words for pattern, words in _FOREIGN if pattern.match(beginning.lstrip())), None)


def is_pretty(beginning: bytes) -> bool:
    """Return True if objects of several lines begin here."""
    text = beginning.lstrip()
    return _PRETTY.match(text) is not None and not _is_json(text.partition(b"\n")[0])


def is_array(beginning: bytes) -> bool:
    """Return True if an array of objects begins here."""
    return _ARRAY.match(beginning.lstrip()) is not None


def is_whole(content: bytes) -> bool:
    """Return True if the content is one JSON value in one line."""
    return b"\n" not in content.strip() and _is_json(content)


def refusal(sample: bytes) -> str | None:
    """Return why lines of JSON hold no outcomes: none of their objects has a required field. None if one has, or if
    there is no object. `sample` is the beginning of the lines, one byte longer than a line may be."""
    first = None
    for line in sample.split(b"\n", SAMPLE_LINES)[:SAMPLE_LINES]:
        try:
            value = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            if len(line) <= LINE_LIMIT_BYTES or not line.lstrip().startswith(b"{"):
                continue
            # Too long for a line: the document of a tool, which is not read to its end.
            value = {name.decode("utf-8", "replace"): None for name in _KEY.findall(line[:KEY_BYTES])}
        if not isinstance(value, dict) or not value:
            continue
        if has_outcome_field(value):
            return None
        first = first or value
    return None if first is None else f"holds no outcomes: {_looks(first)}; {ADVICE}"


def has_outcome_field(names: Iterable[str]) -> bool:
    """Return True if one of the names is that of a field which shows that an outcome is meant."""
    return any(validation.CAMEL_CASE.get(name, name) in EXPECTED_FIELDS for name in names)


def _looks(value: dict[str, Any]) -> str:
    for name, items in value.items():
        if isinstance(items, list) and items and isinstance(items[0], dict) and has_outcome_field(items[0]):
            return f"they are inside an object, under {short_name(name)}: make that array a file of its own"
    return f"its first object has {names_shown([*value])}"


def names_shown(names: Sequence[str]) -> str:
    """Return the first names of a list for a message."""
    return first_names([short_name(name) for name in names])


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
