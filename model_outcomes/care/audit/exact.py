"""Computes sums that 64 bits may not hold: SQL sums whole billions and the rest, Python adds the two."""

from __future__ import annotations

import sqlite3

BILLION = 10**9
GREATEST_INTEGER = 2**63 - 1
# Above it, a double of nano-dollars is not exact.
EXACT_DOUBLE = 2**53


def add_functions(connection: sqlite3.Connection) -> None:
    """Add the SQL functions of this module to `connection`."""
    for function, arguments in ((exact, 3), (count_of, 2), (nano_of, 2), (nano, 1)):
        connection.create_function(function.__name__, arguments, function, deterministic=True)


def sums(value: str) -> str:
    """Return SQL for the two sums of `value`, as arguments of count_of() and nano_of()."""
    return f"sum({value} / {BILLION}), sum({value} % {BILLION})"


def parts(value: str, name: str) -> str:
    """Return SQL for the sums of `value` in two columns, `<name>_billions` and `<name>_rest`."""
    return f"sum({value} / {BILLION}) as {name}_billions, sum({value} % {BILLION}) as {name}_rest"


def exact(high: int | None, rest: int | None, unit: int) -> int | str | None:
    """Return high * unit + rest: as a text if 64 bits do not hold it."""
    if high is None or rest is None:
        return None
    total = high * unit + rest
    return total if -GREATEST_INTEGER <= total <= GREATEST_INTEGER else str(total)


def count_of(billions: int | None, rest: int | None) -> int:
    """Return a sum as the marts show it, at most 2^63 - 1."""
    return min((billions or 0) * BILLION + (rest or 0), GREATEST_INTEGER)


def nano_of(billions: int | None, rest: int | None) -> int | float | None:
    """Return a sum of nano-dollars as nano() returns it for a mart."""
    return nano(((billions or 0) * BILLION + (rest or 0)) / BILLION)


def nano(usd: float | None) -> int | float | None:
    """Return US dollars as whole nano-dollars, as a double from 2^53 on."""
    if usd is None:
        return None
    rounded = round(usd * 1e9)
    return rounded if abs(rounded) < EXACT_DOUBLE else float(rounded)
