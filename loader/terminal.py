"""Answers as text: a table for people, JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tabulate import tabulate

NAME_WIDTH = 28

Column = tuple[str, Callable[[Mapping[str, Any]], str]]


def shortened(text: str, width: int = NAME_WIDTH) -> str:
    """A name in at most `width` characters, cut in the middle, as names differ at their ends;
    control characters, which could steer the terminal, are shown as �."""
    text = "".join(character if character.isprintable() else "�" for character in text)
    if len(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{text[:head]}…{text[head + 1 - width :]}"


def name(column: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: shortened(str(row[column] or ""))


def integer(column: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: "" if row[column] is None else f"{row[column]:,}"


def percent(column: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: "" if row[column] is None else f"{row[column]:.1%}"


def interval(column: str) -> Callable[[Mapping[str, Any]], str]:
    """The bounds of a rate, in percent."""

    def text(row: Mapping[str, Any]) -> str:
        lower, upper = row[f"{column}_lower"], row[f"{column}_upper"]
        return "" if lower is None or upper is None else f"{lower * 100:.1f}-{upper * 100:.1f}"

    return text


def dollars(column: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: "" if row[column] is None else f"${row[column]:,.4f}"


def day(column: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: str(row[column] or "")[:10]


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[Column]) -> str:
    cells = [[text(row) for _, text in columns] for row in rows]
    numbers = [all(cell[:1] in "$0123456789" for cell in column) for column in zip(*cells, strict=True)]
    return tabulate(
        cells,
        headers=[heading for heading, _ in columns],
        colalign=["right" if is_number else "left" for is_number in numbers] or None,
        disable_numparse=True,
    )


STATS: Sequence[Column] = (
    ("task type", name("task_type")),
    ("model", name("model_id")),
    ("trials", integer("trials")),
    ("success", percent("success_rate")),
    ("95 % interval", interval("success_rate")),
    ("cost", dollars("total_cost")),
    ("last used", day("last_used")),
)

RANKING: Sequence[Column] = (
    ("rank", integer("rank")),
    ("model", name("model_id")),
    ("trials", integer("trials")),
    ("success", percent("success_rate")),
    ("95 % interval", interval("success_rate")),
    ("per success", dollars("cost_per_success")),
    ("last used", day("last_used")),
)


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
