"""Names come from outside: what of them may reach a terminal, and how many of its cells they take."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

from model_outcomes.base.console import printable

ISOLATE, END_OF_ISOLATE = "\u2068", "\u2069"  # what is between them is ordered by itself
FROM_THE_RIGHT = ("R", "AL", "AN")


def dollars(cost: float, least_places: int = 0) -> str:
    """Return a price: cents from one dollar on, three significant digits below it, no exponent. It has at least
    `least_places` decimal places, so that a column of prices lines up."""
    places = 2 if cost == 0 or cost >= 1 else len(f"{Decimal(f'{cost:.2e}'):f}".partition(".")[2])
    return f"${cost:,.{max(places, least_places)}f}"


def isolated(text: str) -> str:
    """Return a name so that, read from the right, it stays within its cell if the terminal heeds directions."""
    if any(unicodedata.bidirectional(character) in FROM_THE_RIGHT for character in text):
        return f"{ISOLATE}{text}{END_OF_ISOLATE}"
    return text


def width(text: str) -> int:
    """Return the cells of the terminal that a text takes: two for East Asian wide characters and emoji, none for
    accents that join the character before."""
    return sum(map(_cells, text))


def shortened(text: str, most: int) -> str:
    """Return a name in at most `most` cells, cut in the middle, as names differ at their ends."""
    text = printable(text)
    if width(text) <= most:
        return text
    head = _beginning(text, (most - 1) // 2)
    tail = _beginning(text[::-1], most - 1 - width(head))[::-1]
    return f"{head}…{tail}"


def _beginning(text: str, most: int) -> str:
    taken = 0
    for position, character in enumerate(text):
        taken += _cells(character)
        if taken > most:
            return text[:position]
    return text


def _cells(character: str) -> int:
    if character.isascii():
        return 1
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1
