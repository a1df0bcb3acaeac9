"""Tables that fit the screen. If one is too wide, spare columns are left out first, then names are cut, longest first.

Space that is left goes to prose, which is wrapped, and to intervals, which are drawn. The heading of a drawn column is
its axis.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from model_outcomes.answers.terminal import interval_text, words
from model_outcomes.answers.terminal.screen import Screen
from model_outcomes.base.console import printable

GAP = 2
HEADING_LINES = 2  # the headings and the rule
NAME_MAX = 40  # widths are in cells of the terminal
NAME_KEPT = 24  # a spare column is left out before a name is cut below this
NAME_MIN = 8
DRAWN_MIN, DRAWN_MAX = 12, 40
PROSE_MIN = 30
PROSE_LINES = 4  # a name in the prose may be as long as a page
PRICE_PLACES = 4

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Column:
    """A column. `text` returns the cell of a row.

    A name may be cut, prose is wrapped, and a spare column is left out if the table is too wide. A rare column is left
    out if all its cells are empty. A drawn column has an `interval`, which returns None if there is nothing to draw. A
    note is a line of its own below the row and is never cut or wrapped, so that it can be copied.
    """

    heading: str
    text: Callable[[Row], str] = lambda row: ""
    is_name: bool = False
    is_prose: bool = False
    is_spare: bool = False
    is_rare: bool = False
    is_note: bool = False
    interval: Callable[[Row], interval_text.Interval | None] | None = None


def name(heading: str, column: str) -> Column:
    return Column(heading, lambda row: printable(str(row[column] or "")), is_name=True)


def integer(column: str) -> Callable[[Row], str]:
    return lambda row: "" if row[column] is None else f"{row[column]:,.0f}"


def percent(column: str) -> Callable[[Row], str]:
    return lambda row: "" if row[column] is None else f"{row[column]:.1%}"


def lost_share(row: Row) -> str:
    """Return the share of attempts that failed because of the infrastructure; empty without attempts."""
    lost = row["attempts"] - row["trials"] if "attempts" in row else row.get("infrastructure_failures", 0)
    return f"{lost / (row['trials'] + lost):.1%}" if lost else ""


def unknown_causes(row: Row) -> str:
    """Return words.unknown_causes; empty without such failures."""
    return words.unknown_causes(row) if row.get("unknown_failures") else ""


def dollars(column: str) -> Callable[[Row], str]:
    return lambda row: "" if row[column] is None else words.dollars(row[column], PRICE_PLACES)


def day(column: str) -> Callable[[Row], str]:
    return lambda row: str(row[column] or "")[:10]


def bounds(column: str) -> Callable[[Row], str]:
    """Return the function that writes the bounds of a rate in percent."""

    def text(row: Row) -> str:
        interval = _interval(row, column)
        return "" if interval is None else f"{interval.lower * 100:.1f}-{interval.upper * 100:.1f}"

    return text


def signed_points(column: str) -> Callable[[Row], str]:
    """Return the function that writes a difference of rates in percentage points, with its sign."""
    return lambda row: "" if row[column] is None else f"{row[column] * 100:+.1f}"


def signed_bounds(column: str) -> Callable[[Row], str]:
    """Return the function that writes the bounds of a difference in percentage points."""

    def text(row: Row) -> str:
        interval = _interval(row, column)
        return "" if interval is None else f"{interval.lower * 100:+.1f} to {interval.upper * 100:+.1f}"

    return text


def drawn(column: str) -> Column:
    """Return a column that draws a rate with its bounds, `<column>_lower` and `<column>_upper`."""
    return Column("", interval=lambda row: _interval(row, column))


def table(rows: Iterable[Row], columns: Sequence[Column], screen: Screen, level: str = "") -> str:
    """Return headings, a rule and the rows. Lines fit the screen if it is not narrower than the least widths. The
    heading of a drawn column shows the `level` of its intervals."""
    rows = list(rows)
    notes = [column for column in columns if column.is_note]
    columns = [column for column in columns if not column.is_note]
    cells = {column: [screen.writable(column.text(row)) for row in rows] for column in columns}
    columns = [column for column in columns if not column.is_rare or any(cells[column])]
    cells = {column: cells[column] for column in columns}
    widths = _fitted(columns, cells, screen.width)
    filled = [_filled(column, rows, cells[column], width, screen, level) for column, width in widths.items()]
    lines: list[str] = []
    for index, row in enumerate(zip(*filled, strict=True), start=-HEADING_LINES):
        for number in range(max(map(len, row))):
            parts = [
                cell[number] if number < len(cell) else " " * width
                for cell, width in zip(row, widths.values(), strict=True)
            ]
            lines.append((" " * GAP).join(parts).rstrip())
        texts = [screen.writable(note.text(rows[index])) for note in notes if index >= 0]
        lines += [f"{' ' * GAP}{text}" for text in texts if text]
    return "\n".join(lines)


def _fitted(columns: Sequence[Column], cells: Mapping[Column, Sequence[str]], width: int) -> dict[Column, int]:
    """Return the width of each column that is not left out."""
    widths = {column: _natural(column, cells[column]) for column in columns}

    def room() -> int:
        """Return the cells that are left for names."""
        return width - GAP * (len(widths) - 1) - sum(own for column, own in widths.items() if not column.is_name)

    names = [column for column in columns if column.is_name]
    wanted = sum(min(widths[column], NAME_KEPT) for column in names)
    for column in reversed(columns):
        if column.is_spare and room() < wanted:
            del widths[column]
    while names and sum(widths[column] for column in names) > room():
        longest = max(names, key=lambda column: widths[column])
        if widths[longest] <= NAME_MIN:
            break
        widths[longest] -= 1
    left = max(room() - sum(widths[column] for column in names), 0)
    for column in widths:
        if column.is_prose:
            widths[column] = min(widths[column] + left, max(map(words.width, (column.heading, *cells[column]))))
        elif column.interval is not None:
            widths[column] = min(widths[column] + left, DRAWN_MAX)
    return widths


def _natural(column: Column, texts: Sequence[str]) -> int:
    if column.interval is not None:
        return DRAWN_MIN
    longest = max(map(words.width, (column.heading, *texts)))
    return min(longest, NAME_MAX if column.is_name else PROSE_MIN if column.is_prose else longest)


def _filled(
    column: Column, rows: Sequence[Row], texts: Sequence[str], width: int, screen: Screen, level: str
) -> list[list[str]]:
    """Return the lines of the heading, of the rule and of each cell, all `width` cells wide."""
    if column.interval is not None:
        intervals = [column.interval(row) for row in rows]
        axis = interval_text.rates(interval for interval in intervals if interval is not None)
        heading = interval_text.heading(axis, width, level)
        filled = [[picture(interval, axis, width, screen)] for interval in intervals]
    else:
        is_number = bool(texts) and all(text[:1] in "$0123456789" for text in texts)
        heading = _padded(column.heading, width, is_number)
        parts = [_lines(text, width) if column.is_prose else [text] for text in texts]
        filled = [[_padded(line, width, is_number) for line in lines] for lines in parts]
    return [[_bold(heading, screen)], ["-" * width], *filled]


def _lines(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width, max_lines=PROSE_LINES, placeholder="…", break_on_hyphens=False) or [""]


def picture(
    interval: interval_text.Interval | None,
    axis: interval_text.Axis,
    width: int,
    screen: Screen,
    *,
    has_zero: bool = False,
) -> str:
    """Return an interval as text; its value is in colour if the screen shows colour."""
    if interval is None:
        return " " * width
    line = interval_text.drawn(interval, axis, width, screen.signs, has_zero=has_zero)
    if not screen.has_colour:
        return line
    point = axis.cell(interval.value, width)
    value = click.style(line[point], fg="cyan", bold=True)
    return click.style(line[:point], dim=True) + value + click.style(line[point + 1 :], dim=True)


def _padded(text: str, width: int, is_number: bool) -> str:
    text = words.shortened(text, width)
    padding = " " * (width - words.width(text))
    return padding + text if is_number else words.isolated(text) + padding


def _bold(text: str, screen: Screen) -> str:
    return click.style(text, bold=True) if screen.has_colour else text


def _interval(row: Row, column: str) -> interval_text.Interval | None:
    lower, value, upper = row[f"{column}_lower"], row[column], row[f"{column}_upper"]
    return None if lower is None or value is None or upper is None else interval_text.Interval(lower, value, upper)
