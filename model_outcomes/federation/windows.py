"""Windows: spans of whole UTC days, closed on both sides, of which a project has one after the other."""

from __future__ import annotations

import re
from datetime import date, timedelta

OPENING = "opening"
_SPAN = re.compile(r"(\d{4}-\d\d-\d\d)/(\d{4}-\d\d-\d\d)")


def name(first_day: date, last_day: date) -> str:
    """Return a window as files have it, an ISO 8601 interval: 2026-08-01/2026-10-31."""
    return f"{first_day}/{last_day}"


def span(window: str) -> tuple[date, date] | None:
    """First and last day of a window, None for `opening`; ValueError where it is neither."""
    if window == OPENING:
        return None
    found = _SPAN.fullmatch(window)
    if not found:
        raise ValueError("expected opening, or two days such as 2026-08-01/2026-10-31")
    first_day, last_day = (date.fromisoformat(day) for day in found.groups())
    if first_day > last_day:
        raise ValueError("ends before it begins")
    return first_day, last_day


def last_month_end(today: date) -> date:
    """Return the last day of the month before today's."""
    return today.replace(day=1) - timedelta(days=1)


def following(last_end: date | None, first_outcome: date, until: date) -> str | None:
    """Return the window from the day after the last one ended, at first from the month of the first outcome,
    to `until`; None if that is no day at all."""
    first_day = last_end + timedelta(days=1) if last_end else first_outcome.replace(day=1)
    return name(first_day, until) if first_day <= until else None
