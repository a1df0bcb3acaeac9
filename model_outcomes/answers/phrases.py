"""The way in which reports and caveats write names and figures."""

from __future__ import annotations

from collections.abc import Sequence

from model_outcomes.answers.terminal import shortened
from model_outcomes.answers.terminal.words import dollars as dollars

NAME_WIDTH = 48


def named(name: str | None, width: int = NAME_WIDTH) -> str:
    """Return a name from outside as it can be shown: no longer than a line, and without characters that steer."""
    return shortened(name or "", width)


def listed(items: Sequence[str], most: int = 5, last: str = "and") -> str:
    """Return the first `most` of them with commas between, and how many more there are."""
    shown = list(items[:most])
    if more := len(items) - most if len(items) > most else 0:
        shown.append(f"{more:,} more")
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} {last} {shown[-1]}"


def counted(number: int, what: str) -> str:
    """Return a count with its noun: `1 trial`, `2,000 trials`."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def percent(rate: float) -> str:
    return f"{rate:.1%}"


def points(difference: float) -> str:
    return f"{difference * 100:+.1f}"
