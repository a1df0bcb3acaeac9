"""Spellings: the values that other programs write in place of ours, if they cannot be mistaken.

Verdicts in words, times of databases and epochs, numbers as text, money with a sign. A value is looked up here only if
it is not valid as it is.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from model_outcomes.base.errors import OutcomesError
from model_outcomes.base.messages import short

SUCCESS_WORDS = frozenset(("true", "yes", "pass", "passed", "resolved", "completed", "1", "1.0"))
FAILURE_WORDS = frozenset(("false", "no", "fail", "failed", "unresolved", "0", "0.0"))
COUNTS = ("tokens_used", "input_tokens", "output_tokens", "cached_input_tokens", "duration_ms", "attempt")
AMOUNTS = ("cost_usd", "score", "propensity")
# An epoch in seconds is far from one in milliseconds, if both are of this century.
EPOCH_BEGIN_S, EPOCH_END_S = 946_684_800, 4_102_444_800
_TIME = re.compile(
    r"\s*(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d)(:\d\d)?(?:[.,](\d{1,9}))?\s*(?:(Z|UTC|GMT)|([+-]\d\d):?(\d\d)?)?\s*",
    re.IGNORECASE | re.ASCII,
)
_DIGITS = re.compile(r"\s*\d{1,16}(\.\d*)?\s*", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(,\d{3})+", re.ASCII)
_GROUPED_AMOUNT = re.compile(r"\d{1,3}(,\d{3})+\.\d+", re.ASCII)
_COMMA_AMOUNT = re.compile(r"\d+,(\d{1,2}|\d{4,})", re.ASCII)  # no thousands
_DOLLARS = re.compile(r"(?:US)?\$\s*(.+)|(.+?)\s*USD", re.IGNORECASE)


def plain(field: str, value: Any, zone: tzinfo | None = None) -> Any:
    """Return the plain value of a spelling; None if it is not known. A time without an offset is in `zone`."""
    if field in ("success", "timeout"):
        return verdict(value)
    if field == "timestamp":
        return moment(value, zone)
    if field in COUNTS:
        return count(value, is_rounded=field == "duration_ms")
    return amount(value) if field in AMOUNTS else None


def verdict(value: Any) -> bool | None:
    """Return the verdict that a word or a number means."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower() if isinstance(value, (str, float)) or value in (0, 1) else ""
    return True if word in SUCCESS_WORDS else False if word in FAILURE_WORDS else None


def moment(value: Any, zone: tzinfo | None = None) -> datetime | None:
    """Return the time that a text or an epoch means. Seconds and milliseconds are told apart by their size."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not 0 <= value < 1e15:
            return None
        seconds = value if value < EPOCH_BEGIN_S * 100 else value / 1000
        if not EPOCH_BEGIN_S <= seconds < EPOCH_END_S:
            return None
        return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(seconds=seconds)
    parts = _TIME.fullmatch(value) if isinstance(value, str) else None
    if parts is None:
        return None
    day, minute, second, fraction, utc, hours, minutes = parts.groups()
    try:
        local = datetime.fromisoformat(f"{day}T{minute}{second or ':00'}.{(fraction or '')[:6]:0<6}")
        if hours:
            sign = -1 if hours[0] == "-" else 1
            offset = timedelta(hours=int(hours), minutes=sign * int(minutes or 0))
            return local.replace(tzinfo=timezone(offset))
        return local.replace(tzinfo=timezone.utc if utc else zone) if utc or zone else None
    except ValueError:
        return None


def zone_named(name: str) -> tzinfo:
    """Return a time zone, such as Europe/Berlin. Raises OutcomesError."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise OutcomesError(f"there is no time zone {short(name)}: name one such as Europe/Berlin") from None


def has_no_offset(value: Any) -> bool:
    """Return True if a text is a time without an offset."""
    parts = _TIME.fullmatch(value) if isinstance(value, str) else None
    return parts is not None and not parts[5] and not parts[6]


def count(value: Any, *, is_rounded: bool = False) -> int | None:
    """Return the whole number that a text or a float means: "1,200", "1200.0". A fraction is no count, but a duration
    `is_rounded`."""
    number = value
    if isinstance(value, str):
        text = value.strip()
        number = float(text.replace(",", "")) if _GROUPED.fullmatch(text) else _float(text)
    if not isinstance(number, (int, float)) or isinstance(number, bool) or abs(number) > 1e15 or number != number:
        return None
    return round(number) if is_rounded or number == int(number) else None


def amount(value: Any) -> float | None:
    """Return the number that a text means: "$0.12", "0.12 USD", "1,234.50", "0,19". "1,234" may mean two numbers."""
    if not isinstance(value, str):
        return None
    text = value.strip()
    if dollars := _DOLLARS.fullmatch(text):
        text = dollars[1] or dollars[2]
        if _GROUPED.fullmatch(text):
            return float(text.replace(",", ""))
    if _GROUPED_AMOUNT.fullmatch(text):
        return float(text.replace(",", ""))
    return float(text.replace(",", ".")) if _COMMA_AMOUNT.fullmatch(text) else _float(text)


def _float(text: str) -> float | None:
    try:
        return float(text) if text.isascii() and "_" not in text else None
    except ValueError:
        return None
