"""The one way to the terminal: all printed text passes `printable`, because names come from outside.

`say` prints a message as one line. The command line and dbt's process also put a guard before both standard streams,
for the text that libraries print (Click, dbt, uvicorn, warnings, tracebacks). `write` passes the guard by, for the
output that programs read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

REPLACEMENT = "�"
LINES = "\n"
LAYOUT = "\t\n\r \u00a0"  # tabs, line breaks and spaces


def printable(text: str, kept: str = "") -> str:
    """Return the text with each control, format or bidi character replaced, line breaks too, except those in `kept`.

    Such a character could control the terminal, reverse the line, or begin a new line.
    """
    return _changed(text, lambda _: REPLACEMENT, kept)


def escaped(text: str, kept: str = LINES) -> str:
    """Return the text with each such character as \\uXXXX, which does not change the values of JSON."""
    return _changed(text, _code, kept)


def say(line: str, *, err: bool = False) -> None:
    """Print one line to standard output, or to standard error."""
    stream = sys.stderr if err else sys.stdout
    stream.write(f"{_writable(printable(line), stream)}\n")
    stream.flush()


def write(text: str) -> None:
    """Print safe text, or text for programs, to standard output as it is."""
    stream = unguarded(sys.stdout)
    try:
        text.encode(stream.encoding or "utf-8")
    except UnicodeEncodeError:
        text = "".join(each if each.isascii() else _code(each) for each in text)
    stream.write(f"{text}\n")
    stream.flush()


def unguarded(stream: TextIO) -> TextIO:
    """Return the stream behind a guard, or the stream itself if it has no guard."""
    guard: object = stream
    return guard.guarded if isinstance(guard, Guard) else stream


@contextmanager
def guarding() -> Iterator[None]:
    """Put a guard before standard output and standard error. If an unknown error is raised, the guard stays, because
    Python prints names in a traceback."""
    _open_closed_streams()
    before = sys.stdout, sys.stderr
    guards = Guard(unguarded(sys.stdout)), Guard(unguarded(sys.stderr))
    sys.stdout, sys.stderr = (cast(TextIO, guard) for guard in guards)
    try:
        yield
    except Exception:
        raise
    except BaseException:
        _remove(guards, before)
        raise
    _remove(guards, before)


class Guard:
    """A text stream that makes text printable, line by line, and writes it to the stream behind it."""

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
            raise AttributeError(name)  # bytes would pass unchecked
        return getattr(self.guarded, name)


def _open_closed_streams() -> None:
    """Open the null device for each standard stream that the caller closed (`>&-`). Otherwise a file that is opened
    later would get its number, and dbt's process would write to that file."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            stream = open(os.devnull, mode, encoding="utf-8")  # noqa: PTH123, SIM115 - it stays open
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)


def _remove(guards: tuple[Guard, Guard], before: tuple[TextIO, TextIO]) -> None:
    # If the reader of the output is gone, Click replaces the stream by its own, which must stay.
    streams: tuple[object, object] = (sys.stdout, sys.stderr)
    if streams[0] is guards[0]:
        sys.stdout = before[0]
    if streams[1] is guards[1]:
        sys.stderr = before[1]


def _writable(text: str, stream: TextIO) -> str:
    """Return the text with characters that the stream's encoding lacks as escapes."""
    encoding = stream.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _changed(text: str, change: Callable[[str], str], kept: str) -> str:
    if text.isprintable():
        return text
    if LINES in kept and LINES in text:  # most lines of a long text are printable as a whole
        return LINES.join(_changed(line, change, kept) for line in text.split(LINES))
    return "".join(each if each.isprintable() or each in kept else change(each) for each in text)


def _code(character: str) -> str:
    """Return JSON's escape of a character, two escapes above U+FFFF."""
    digits = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{digits[start : start + 4]}" for start in range(0, len(digits), 4))
