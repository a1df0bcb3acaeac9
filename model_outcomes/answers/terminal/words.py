"""Texts for a terminal: prices, and names from outside, which are cut, cleaned and measured in cells."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from model_outcomes.base.console import printable

ISOLATE, END_OF_ISOLATE = "\u2068", "\u2069"  # the text between them has its own direction
WITHOUT_UNKNOWN = "success_rate_without_unknown"
FROM_THE_RIGHT = ("R", "AL", "AN")


def dollars(cost: float, least_places: int = 0) -> str:
    """Return a price in US dollars: cents from one dollar on, three significant digits below it, no exponent. It has at
    least `least_places` decimal places, so that the prices of a column are aligned."""
    places = 2 if cost == 0 or cost >= 1 else len(f"{Decimal(f'{cost:.2e}'):f}".partition(".")[2])
    return f"${cost:,.{max(places, least_places)}f}"


def unknown_causes(row: Mapping[str, Any]) -> str:
    """Return the share of a model's failures with an unknown cause (a row of model_stats), and its lowest and
    highest rate: with these failures, and without them."""
    share, rate, without = row["unknown_failures"] / row["failures"], row["success_rate"], row[WITHOUT_UNKNOWN]
    rates = f"{rate:.1%} to {without:.1%}" if without is not None else "no other trial exists"
    return f"{share:.0%} of the failures have an unknown cause: {rates}"


def isolated(text: str) -> str:
    """Return a name marked so that a name written from right to left does not reorder the cells beside it."""
    if any(unicodedata.bidirectional(character) in FROM_THE_RIGHT for character in text):
        return f"{ISOLATE}{text}{END_OF_ISOLATE}"
    return text


def width(text: str) -> int:
    """Return the width of a text in cells of the terminal: two for East Asian wide characters and emoji, none for
    combining accents."""
    return sum(map(_cells, text))


def shortened(text: str, most: int) -> str:
    """Return a name in at most `most` cells. It is cut in the middle, since names often differ at the end."""
    text = printable(text)
    if width(text) <= most:
        return text
    head = _beginning(text, (most - 1) // 2)
    tail = _beginning(text[::-1], most - 1 - width(head))[::-1]
    return f"{head}…{tail}"


def _beginning(text: str, most: int) -> str:
    cells = 0
    for position, character in enumerate(text):
        cells += _cells(character)
        if cells > most:
            return text[:position]
    return text


def _cells(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
