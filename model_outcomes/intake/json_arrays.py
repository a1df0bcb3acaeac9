"""A JSON array as lines, one element a line, in one pass and in bounded memory.

Brackets and quotes show where an element ends. The reader of the lines checks that they are valid JSON. A pattern
matches most elements, flat objects or numbers, at once. The others are copied piece by piece, so that neither their
size nor their nesting needs memory.
"""

from __future__ import annotations

import re
from typing import BinaryIO

CHUNK_BYTES = 1_000_000
BOM = b"\xef\xbb\xbf"

_BLANKS = rb"[ \t\r\n]*"
_STRING = rb'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"'
_SCALAR = rb"(?:-?[0-9][-+.0-9eE]*|true|false|null|NaN|-?Infinity)"
_FLAT = rb"\{[^][{}\"]*(?:" + _STRING + rb"[^][{}\"]*)*\}"
_ELEMENT = re.compile(_BLANKS + rb"(" + _FLAT + rb"|" + _SCALAR + rb")" + _BLANKS + rb"([],])")
_SCALARS = re.compile(rb"(?:" + _BLANKS + _SCALAR + _BLANKS + rb",)+")
_SCALARS_BYTES = 65_536  # at a time, because the pattern needs some memory for each scalar
_PART_OF_SCALAR = re.compile(rb"[-+.0-9a-zA-Z]*[ \t\r\n]*")
_STRUCTURE = re.compile(rb'"|[\[{]+|[\]}]+')
_NO_BLANK = re.compile(rb"[^ \t\r\n]")
_IN_STRING = re.compile(rb'["\\]')
# A newline between values is a blank. In a string it is a fault, and another control character is the same fault.
_OUTSIDE = bytes.maketrans(b"\r\n", b"  ")
_INSIDE = bytes.maketrans(b"\r\n", b"\x0b\x0b")


def write_lines(stream: BinaryIO, lines: BinaryIO) -> None:
    """Write the elements of the JSON array that `stream` holds to `lines`, each as one line.

    Raises EOFError if the array has no end, ValueError if there is no array or something follows it.
    """
    _Splitter(stream, lines).run()


def write_objects(stream: BinaryIO, lines: BinaryIO) -> None:
    """Write the JSON objects that `stream` holds one after the other to `lines`, each as one line.

    Raises EOFError if the last one has no end, ValueError if something else is between them.
    """
    _Splitter(stream, lines).run_objects()


class _Splitter:
    def __init__(self, stream: BinaryIO, lines: BinaryIO) -> None:
        self._stream, self._lines = stream, lines
        self._buffer = stream.read(CHUNK_BYTES).removeprefix(BOM)
        self._at = 0  # all before it was written
        self._dropped_bytes = 0  # of the stream, before the buffer

    def run(self) -> None:
        if self._next() != b"[":
            raise ValueError("it does not begin with [")
        self._at += 1
        if self._next() == b"]":
            self._at += 1
        else:
            while self._element() == b",":
                pass
        if self._next():
            raise ValueError(f"more follows its end at byte {self._here():,}")

    def run_objects(self) -> None:
        while first := self._next():
            if first != b"{":
                raise ValueError(f"expected an object at byte {self._here():,}")
            self._copy_element()
            self._lines.write(b"\n")

    def _element(self) -> bytes:
        """Write the next element, or several. Return the comma or bracket behind them."""
        while scalars := _SCALARS.match(self._buffer, self._at, self._at + _SCALARS_BYTES):
            self._at = scalars.end()
            self._lines.write(scalars[0].translate(_OUTSIDE).replace(b",", b"\n"))
        whole = _ELEMENT.match(self._buffer, self._at)
        while not whole and len(self._buffer) - self._at < CHUNK_BYTES and self._fill():
            whole = _ELEMENT.match(self._buffer, self._at)
        if whole:
            self._at = whole.end()
            self._lines.write(whole[1].translate(_OUTSIDE) + b"\n")
            return whole[2]
        first = self._next()
        if first not in (b"{", b"[", b'"'):
            part = _PART_OF_SCALAR.match(self._buffer, self._at)
            if part and part.end() == len(self._buffer) and not self._fill():
                raise EOFError("it has no end")
            raise ValueError(f"expected a value and a comma at byte {self._here():,}")
        self._copy_element()
        self._lines.write(b"\n")
        behind = self._next()
        if behind not in (b",", b"]"):
            raise ValueError(f"expected a comma at byte {self._here():,}") if behind else EOFError("it has no end")
        self._at += 1
        return behind

    def _copy_element(self) -> None:
        depth, is_string = 0, False
        while True:
            token = (_IN_STRING if is_string else _STRUCTURE).search(self._buffer, self._at)
            self._copy(token.start() if token else len(self._buffer), is_string)
            if token is None:
                if not self._fill():
                    raise EOFError("it has no end")
            elif token[0] == b'"':
                is_string = not is_string
                self._copy(token.end(), True)
                if not is_string and not depth:
                    return
            elif token[0] == b"\\":
                if token.end() == len(self._buffer) and not self._fill():
                    raise EOFError("it has no end")
                self._copy(self._at + 2, True)
            elif token[0][:1] in b"[{":
                depth += len(token[0])
                self._copy(token.end(), False)
            else:
                closed = min(depth, len(token[0]))
                depth -= closed
                self._copy(self._at + closed, False)
                if not depth:
                    return

    def _copy(self, end: int, is_string: bool) -> None:
        self._lines.write(self._buffer[self._at : end].translate(_INSIDE if is_string else _OUTSIDE))
        self._at = end

    def _next(self) -> bytes:
        """Return the next character that is no blank, without reading on; b"" at the end."""
        while True:
            rest = _NO_BLANK.search(self._buffer, self._at)
            if rest:
                self._at = rest.start()
                return rest[0]
            self._at = len(self._buffer)
            if not self._fill():
                return b""

    def _fill(self) -> bool:
        chunk = self._stream.read(CHUNK_BYTES)
        self._dropped_bytes += self._at
        self._buffer, self._at = self._buffer[self._at :] + chunk, 0
        return bool(chunk)

    def _here(self) -> int:
        return self._dropped_bytes + self._at + 1
