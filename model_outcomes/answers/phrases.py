"""Names, figures and recommendations in words, as reports and caveats write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model_outcomes.answers.terminal import shortened
from model_outcomes.answers.terminal.words import dollars as dollars
from model_outcomes.answers.terminal.words import unknown_causes as unknown_causes

NAME_WIDTH = 48


def named(name: str | None, width: int = NAME_WIDTH) -> str:
    """Return a name from outside as texts show it: at most `width` cells wide and without control characters."""
    return shortened(name or "", width)


def listed(items: Sequence[str], most: int = 5, last: str = "and") -> str:
    """Return the first `most` items with commas between, and the number of the others: `a, b and 3 more`."""
    shown = list(items[:most])
    if more := len(items) - most if len(items) > most else 0:
        shown.append(f"{more:,} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def counted(number: int, noun: str) -> str:
    """Return a count with its noun: `1 trial`, `2,000 trials`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def percent(rate: float) -> str:
    return f"{rate:.1%}"


def points(difference: float) -> str:
    """Return a difference of rates in percentage points, with its sign."""
    return f"{difference * 100:+.1f}"


def instruction(row: dict[str, Any]) -> str:
    """Return a row of `recommendations` as an instruction: `Replace a by b`."""
    if row["action"] == "keep":
        return f"Keep {named(row['model_id'])}"
    if row["action"] == "replace":
        return f"Replace {named(row['incumbent_model_id'])} by {named(row['alternative_model_id'])}"
    if row["action"] == "try":
        return f"Try {named(row['alternative_model_id'])} beside {named(row['model_id'])}"
    return "Cannot tell"
