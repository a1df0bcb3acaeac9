"""Names and computes windows: consecutive spans of whole UTC days, first and last day included."""

from __future__ import annotations

import re
from datetime import date, timedelta

OPENING = "opening"
_SPAN = re.compile(r"(\d{4}-\d\d-\d\d)/(\d{4}-\d\d-\d\d)")


def name(first_day: date, last_day: date) -> str:
    """Return the name of a window in files, an ISO 8601 interval: 2026-08-01/2026-10-31."""
    return f"{first_day}/{last_day}"


def span(window: str) -> tuple[date, date] | None:
    """Return the first and last day of a window, None for `opening`. Raises ValueError if it is neither."""
    if window == OPENING:
        return None
    match = _SPAN.fullmatch(window)
    if not match:
        raise ValueError("expected opening, or two days such as 2026-08-01/2026-10-31")
    first_day, last_day = (date.fromisoformat(day) for day in match.groups())
    if first_day > last_day:
        raise ValueError("ends before it begins")
    return first_day, last_day


def last_month_end(today: date) -> date:
    """Return the last day of the month before the month of `today`."""
    return today.replace(day=1) - timedelta(days=1)


def following(last_end: date | None, first_outcome: date, until: date) -> str | None:
    """Return the window that ends with `until` and begins the day after the last one ended; the first window begins
    with the month of the first outcome. None if `until` is before that."""
    first_day = last_end + timedelta(days=1) if last_end else first_outcome.replace(day=1)
    return name(first_day, until) if first_day <= until else None
