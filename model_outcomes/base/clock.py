"""Times in UTC, and the text that the log writes for them."""

from __future__ import annotations

from datetime import datetime, timezone


def utc_now() -> datetime:
    return datetime.now(timezone.utc)


def to_text(moment: datetime) -> str:
    """Return a time as the log writes it: UTC, microseconds, Z. Such texts sort as the times do."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def now_text() -> str:
    """Return the present time as the log writes it."""
    return to_text(utc_now())
