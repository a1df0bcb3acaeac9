"""Standard output as a screen: its width, its encoding and whether it shows colour."""

from __future__ import annotations

import codecs
import os
import shutil
import sys
from dataclasses import dataclass

from model_outcomes.answers.terminal import interval_text

DEFAULT_WIDTH = 80  # cells, of a pipe or a file


@dataclass(frozen=True)
class Screen:
    """`width` in cells."""

    width: int = DEFAULT_WIDTH
    encoding: str = "utf-8"
    has_colour: bool = False

    def writable(self, text: str) -> str:
        """Return the text with each character that the encoding lacks as an escape like \\u2500."""
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)

    @property
    def is_utf8(self) -> bool:
        return codecs.lookup(self.encoding).name == "utf-8"

    @property
    def signs(self) -> interval_text.Signs:
        """Return the characters for intervals: ASCII ones if the encoding lacks the others."""
        signs = "".join(interval_text.UNICODE.values())
        return interval_text.UNICODE if self.writable(signs) == signs else interval_text.ASCII


def of_output() -> Screen:
    """Return the screen of standard output. It has colour on a terminal, unless NO_COLOR (no-color.org) is set."""
    has_colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Screen(shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns, sys.stdout.encoding or "utf-8", has_colour)
