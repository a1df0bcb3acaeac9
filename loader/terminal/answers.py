"""What each answer shows as a table; as JSON and CSV it is shown whole."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

from loader.reading import Answer
from loader.terminal import drawing, screen
from loader.terminal.tables import Column, bounds, day, dollars, drawn, integer, name, percent, picture, table
from loader.terminal.words import printable

DIFFERENCE_WIDTH = 41  # odd, so that zero has a cell
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "'")

STATS: Sequence[Column] = (
    name("task type", "task_type"),
    name("model", "model_id"),
    Column("trials", integer("trials")),
    Column("success", percent("success_rate")),
    Column("interval", bounds("success_rate"), is_spare=True),
    drawn("success_rate"),
    Column("cost", dollars("total_cost")),
    Column("last used", day("last_used"), is_spare=True),
)

RANKING: Sequence[Column] = (
    Column("rank", integer("rank")),
    name("model", "model_id"),
    Column("trials", integer("trials")),
    Column("success", percent("success_rate")),
    Column("interval", bounds("success_rate"), is_spare=True),
    drawn("success_rate"),
    Column("per success", dollars("cost_per_success")),
    Column("last used", day("last_used"), is_spare=True),
)

TRENDS: Sequence[Column] = (
    Column("day", day("outcome_date")),
    name("task type", "task_type"),
    name("model", "model_id"),
    Column("trials", integer("trials")),
    Column("success", percent("success_rate")),
    Column("interval", bounds("success_rate"), is_spare=True),
    drawn("success_rate"),
)

RUNS: Sequence[Column] = (
    Column("run", lambda row: printable(row["run_id"])),
    Column("status", lambda row: str(row["status"])),
    Column("exit", integer("exit_code")),
    Column("accepted", integer("accepted_count")),
    Column("rejected", integer("rejected_count")),
    Column("nodes", integer("dbt_node_count"), is_spare=True),
    Column("seconds", lambda row: f"{row['dbt_seconds']:.1f}", is_spare=True),
    Column("message", lambda row: printable(row["message"] or ""), is_note=True),
)

CANDIDATES: Sequence[Column] = (
    Column("for", lambda row: str(row["candidate_for"])),
    name("task type", "task_type"),
    name("model", "model_id"),
    Column("reason", lambda row: printable(row["reason"]), is_prose=True),
)

COMPARISON: Sequence[Column] = (
    Column("", lambda row: str(row["arm"])),
    name("model", "model_id"),
    Column("trials", integer("trials")),
    Column("success", percent("success_rate")),
    drawn("success_rate"),
    Column("tokens", integer("avg_tokens"), is_spare=True),
    Column("cost", dollars("avg_cost")),
)


def shown(answer: Answer, columns: Sequence[Column], output: str | None) -> str:
    """An answer as JSON, CSV (both with every column), or a table with the ones that matter most."""
    if output:
        return _for_programs(answer, answer, output)
    return table(answer, columns, screen.of_output()) if answer else "none"


def comparison(answer: Mapping[str, Any], arms: Answer, output: str | None) -> str:
    """A comparison of two models: one object, one line of CSV, or a table of its arms and the difference."""
    if output:
        return _for_programs(answer, [dict(answer)], output)
    return f"{table(arms, COMPARISON, screen.of_output())}\n{_difference(answer)}"


def _for_programs(answer: Any, rows: Answer, output: str) -> str:
    onto = screen.of_output()
    if output == "json":
        return json.dumps(answer, ensure_ascii=not onto.is_utf8, indent=2)
    return onto.writable(_csv(rows))


def _difference(answer: Mapping[str, Any]) -> str:
    if answer["difference"] is None:
        return "no difference to tell: a model has no trial"
    difference = drawing.Interval(answer["newcombe_lower"], answer["difference"], answer["newcombe_upper"])
    axis = drawing.differences(difference)
    line = picture(difference, axis, DIFFERENCE_WIDTH, screen.of_output(), has_zero=True)
    return (
        f"difference: {difference.value * 100:+.1f} points,"
        f" 95 % interval {difference.lower * 100:+.1f} to {difference.upper * 100:+.1f}\n"
        f"{axis.first * 100:+.0f} [{line}] {axis.last * 100:+.0f}\n"
        "(fixed-horizon: for one look at a moment chosen beforehand)"
    )


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
