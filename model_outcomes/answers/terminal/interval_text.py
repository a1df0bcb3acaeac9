"""Intervals as text, ├──●───┤, on an axis that all rows of a table share."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

SURE = "95 %"
AXIS_STEP = 0.05  # axes begin and end at multiples of it

Signs = dict[str, str]

UNICODE: Signs = {"left": "├", "line": "─", "right": "┤", "point": "●", "zero": "│", "crossed": "┼"}
ASCII: Signs = {"left": "|", "line": "-", "right": "|", "point": "o", "zero": ":", "crossed": "+"}


@dataclass(frozen=True)
class Interval:
    """`lower` <= `value` <= `upper`, as fractions."""

    lower: float
    value: float
    upper: float


@dataclass(frozen=True)
class Axis:
    """The values of the first and the last cell."""

    first: float
    last: float

    def cell(self, value: float, width: int) -> int:
        """Return the cell of a value, 0 to width - 1."""
        return round((value - self.first) / (self.last - self.first) * (width - 1))


def rates(intervals: Iterable[Interval]) -> Axis:
    """Return an axis for success rates: the part of 0 to 1 that the intervals cover, in whole steps."""
    ends = [(interval.lower, interval.upper) for interval in intervals]
    first = _steps(min((lower for lower, _ in ends), default=0.0), math.floor)
    last = _steps(max((upper for _, upper in ends), default=1.0), math.ceil)
    return Axis(max(first, 0.0), min(last, 1.0)) if last > first else Axis(0.0, 1.0)


def differences(interval: Interval) -> Axis:
    """Return an axis for a difference, with zero in the middle."""
    reach = max(_steps(max(abs(interval.lower), abs(interval.upper)), math.ceil), AXIS_STEP)
    return Axis(-reach, reach)


def heading(axis: Axis, width: int) -> str:
    """Return both ends of an axis in percent, with the level of the intervals between them."""
    first, last = f"{axis.first * 100:.0f}", f"{axis.last * 100:.0f}"
    return f"{first}{SURE:^{width - len(first) - len(last)}}{last}"


def drawn(interval: Interval, axis: Axis, width: int, signs: Signs = UNICODE, *, has_zero: bool = False) -> str:
    """Return the interval in `width` characters. The value hides an end in the same cell."""
    lower, value, upper = (axis.cell(point, width) for point in (interval.lower, interval.value, interval.upper))
    line = [" "] * width
    line[lower : upper + 1] = signs["line"] * (upper + 1 - lower)
    line[lower], line[upper] = signs["left"], signs["right"]
    if has_zero:
        zero = axis.cell(0.0, width)
        line[zero] = signs["crossed"] if lower <= zero <= upper else signs["zero"]
    line[value] = signs["point"]
    return "".join(line)


def _steps(value: float, rounded: Callable[[float], int]) -> float:
    # Rounded first, since 0.15 / 0.05 is a little less than 3.
    return rounded(round(value / AXIS_STEP, 9)) * AXIS_STEP
