"""What standard output can show: how wide it is, in which characters, and whether in colour."""

from __future__ import annotations

import codecs
import os
import shutil
import sys
from dataclasses import dataclass

from model_outcomes.answers.terminal import interval_text

WIDTH = 80  # where nobody looks: a pipe, a file


@dataclass(frozen=True)
class Screen:
    """`width` in cells."""

    width: int = WIDTH
    encoding: str = "utf-8"
    has_colour: bool = False

    def writable(self, text: str) -> str:
        """Return a text in which what the encoding lacks is written as its number, as Python would."""
        return text.encode(self.encoding, "backslashreplace").decode(self.encoding)

    @property
    def is_utf8(self) -> bool:
        return codecs.lookup(self.encoding).name == "utf-8"

    @property
    def signs(self) -> interval_text.Signs:
        """Return what intervals are drawn with: ASCII where the encoding knows no better."""
        signs = "".join(interval_text.UNICODE.values())
        return interval_text.UNICODE if self.writable(signs) == signs else interval_text.ASCII


def of_output() -> Screen:
    """Return the screen of standard output: no colour but on a terminal, nor with NO_COLOR (no-color.org) set."""
    has_colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Screen(shutil.get_terminal_size((WIDTH, 24)).columns, sys.stdout.encoding or "utf-8", has_colour)
