"""The one way to the terminal: all text that a command prints passes `printable`, since names come from outside.

`say` prints a message as one line. The command line and dbt's process also put a guard before both standard
streams, so that text which others print (Click, dbt, uvicorn, warnings, tracebacks) passes as well. Text for
programs goes behind the guard, by `write`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

REPLACEMENT = "�"
LINES = "\n"
LAYOUT = "\t\n\r \u00a0"  # characters that lay out a page


def printable(text: str, kept: str = "") -> str:
    """Return the text with each control, format or bidi character replaced, line breaks too, but for those `kept`.

    Such a character could steer the terminal, turn the line around, or begin a line that we did not write.
    """
    return _changed(text, lambda _: REPLACEMENT, kept)


def escaped(text: str, kept: str = LINES) -> str:
    """Return the text with each such character as \\uXXXX, which leaves the values of JSON as they are."""
    return _changed(text, _code, kept)


def say(line: str, *, err: bool = False) -> None:
    """Print one line to standard output, or to standard error."""
    stream = sys.stderr if err else sys.stdout
    stream.write(f"{_writable(printable(line), stream)}\n")
    stream.flush()


def write(text: str) -> None:
    """Print text that is safe already, or that only programs read, to standard output as it is."""
    stream = behind(sys.stdout)
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        text = "".join(each if each.isascii() else _code(each) for each in text)
    stream.write(f"{text}\n")
    stream.flush()


def behind(stream: TextIO) -> TextIO:
    """Return the stream behind a guard; without a guard, the stream itself."""
    guard: object = stream
    return guard.guarded if isinstance(guard, Guard) else stream


@contextmanager
def guarding() -> Iterator[None]:
    """Put a guard before standard output and standard error. It stays if an unknown error goes on, since Python
    then prints names in a traceback."""
    _open_closed_streams()
    before = sys.stdout, sys.stderr
    guards = Guard(behind(sys.stdout)), Guard(behind(sys.stderr))
    sys.stdout, sys.stderr = (cast(TextIO, guard) for guard in guards)
    try:
        yield
    except Exception:
        raise
    except BaseException:
        _take_back(guards, before)
        raise
    _take_back(guards, before)


class Guard:
    """A text stream that makes what is written printable, line by line, for the stream behind it."""

    def __init__(self, guarded: TextIO) -> None:
        self.guarded = guarded

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"a text stream takes str, not {type(text).__name__}")
        self.guarded.write(_writable(printable(text, LINES), self.guarded))
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        if name == "buffer":
            raise AttributeError(name)  # bytes would pass unseen
        return getattr(self.guarded, name)


def _open_closed_streams() -> None:
    """Open the null device in place of each standard stream that the caller closed (`>&-`). A file that is opened
    later would get its number, and dbt's process would write its lines into that file."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115 - it stays open
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)


def _take_back(guards: tuple[Guard, Guard], before: tuple[TextIO, TextIO]) -> None:
    # If nobody reads the output any more, Click replaces the stream by one of its own, which must stay.
    streams: tuple[object, object] = (sys.stdout, sys.stderr)
    if streams[0] is guards[0]:
        sys.stdout = before[0]
    if streams[1] is guards[1]:
        sys.stderr = before[1]


def _writable(text: str, stream: TextIO) -> str:
    """Write what the stream's encoding lacks as its number, as Python would."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _changed(text: str, change: Callable[[str], str], kept: str) -> str:
    if text.isprintable():
        return text
    if LINES in kept and LINES in text:  # most lines of a long text need no look at each character
        return LINES.join(_changed(line, change, kept) for line in text.split(LINES))
    return "".join(each if each.isprintable() or each in kept else change(each) for each in text)


def _code(character: str) -> str:
    """Return JSON's escape; two of them beyond U+FFFF."""
    digits = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{digits[start : start + 4]}" for start in range(0, len(digits), 4))
