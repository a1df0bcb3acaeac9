"""Answers as text: a table for people, JSON and CSV for programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from tabulate import tabulate

from loader.reading import Answer

NAME_WIDTH = 28
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "'")

Column = tuple[str, Callable[[Mapping[str, Any]], str]]


def printable(text: str) -> str:
    """Names come from outside: a control character in one, which could steer the terminal, is shown as �."""
    return "".join(character if character.isprintable() else "�" for character in text)


def shortened(text: str, width: int = NAME_WIDTH) -> str:
    """A name in at most `width` characters, cut in the middle, as names differ at their ends."""
    text = printable(text)
    if len(text) <= width:
        return text
    head = (width - 1) // 2
    return f"{text[:head]}…{text[head + 1 - width :]}"


def name(column: str, width: int = NAME_WIDTH) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: shortened(str(row[column] or ""), width)


def integer(column: str) -> Callable[[Mapping[str, Any]], str]:
    return lambda row: "" if row[column] is None else f"{row[column]:,.0f}"


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


TRENDS: Sequence[Column] = (
    ("day", day("outcome_date")),
    ("task type", name("task_type", 16)),
    ("model", name("model_id", 20)),
    ("trials", integer("trials")),
    ("success", percent("success_rate")),
    ("95 % interval", interval("success_rate")),
)

RUNS: Sequence[Column] = (
    ("run", name("run_id")),
    ("status", name("status")),
    ("exit", integer("exit_code")),
    ("accepted", integer("accepted_count")),
    ("rejected", integer("rejected_count")),
    ("dbt nodes", integer("dbt_node_count")),
    ("seconds", lambda row: f"{row['dbt_seconds']:.1f}"),
    ("message", lambda row: shortened(row["message"] or "", 60)),
)

CANDIDATES: Sequence[Column] = (
    ("for", name("candidate_for")),
    ("task type", name("task_type", 16)),
    ("model", name("model_id", 20)),
    ("reason", lambda row: printable(row["reason"])),
)

COMPARISON: Sequence[Column] = (
    ("", name("arm")),
    ("model", name("model_id")),
    ("trials", integer("trials")),
    ("success", percent("success_rate")),
    ("tokens", integer("avg_tokens")),
    ("cost", dollars("avg_cost")),
)


def shown(answer: Answer, columns: Sequence[Column], output: str | None) -> str:
    """An answer as JSON, CSV (both with every column), or a table with the ones that matter most."""
    if output == "json":
        return json.dumps(answer, ensure_ascii=False, indent=2)
    if output == "csv":
        return _csv(answer)
    return table(answer, columns) if answer else "none"


def comparison(answer: Mapping[str, Any], arms: Answer, output: str | None) -> str:
    """A comparison of two models: one object, one line of CSV, or a table of its arms and the difference."""
    if output == "json":
        return json.dumps(answer, ensure_ascii=False, indent=2)
    if output == "csv":
        return _csv([dict(answer)])
    if answer["difference"] is None:
        said = "no difference to tell: a model has no trial"
    else:
        bounds = f"{answer['newcombe_lower'] * 100:+.1f} to {answer['newcombe_upper'] * 100:+.1f}"
        said = (
            f"difference: {answer['difference'] * 100:+.1f} points, 95 % interval {bounds}\n"
            "(fixed-horizon: for one look at a moment chosen beforehand)"
        )
    return f"{table(arms, COMPARISON)}\n{said}"


def spreadsheet_safe(value: Any) -> Any:
    """A spreadsheet runs a text that begins like a formula, and names come from outside: an apostrophe before
    it makes it a text, there and in any import. One of its own is doubled, so that the way back is plain."""
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULAS) else value


def _csv(answer: Answer) -> str:
    text = io.StringIO()
    if answer:
        writer = csv.DictWriter(text, fieldnames=list(answer[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: spreadsheet_safe(value) for name, value in row.items()} for row in answer)
    return text.getvalue().removesuffix("\n")
