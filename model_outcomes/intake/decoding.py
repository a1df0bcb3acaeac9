"""Decoding: UTF-16 and old line ends become UTF-8 with \\n, in a temporary copy, so that byte offsets are right."""

from __future__ import annotations

import codecs
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, cast

from model_outcomes.base.errors import OutcomesError

CHUNK_BYTES = 1 << 20
SAMPLE_BYTES = 1 << 16
# UTF-32 first, because its little-endian BOM begins with that of UTF-16.
_BOMS = ((codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
         (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))  # fmt: skip


class UnfinishedError(OutcomesError):
    """A file ends too early: its writer has not finished it yet, or it is damaged."""


@contextmanager
def decoded(stream: BinaryIO, path: str, is_settled: bool) -> Iterator[BinaryIO]:
    """Yield the stream, or a copy of it as UTF-8 with \\n as line ends. It is at its beginning.

    Raises OutcomesError if the stream is not of the encoding that its first bytes name, UnfinishedError if it ends
    within a character and is not settled.
    """
    stream.seek(0)
    sample = stream.read(SAMPLE_BYTES)
    stream.seek(0)
    encoding = next((name for bom, name in _BOMS if sample.startswith(bom)), None)
    if encoding is None and _is_utf16(sample):
        raise OutcomesError(f"{path} looks like UTF-16 without a byte order mark: save it as UTF-8")
    if encoding:
        with tempfile.TemporaryFile() as copy:
            _decode(stream, copy, encoding, path, is_settled)
            with _with_newlines(cast(BinaryIO, copy)) as lines:
                yield lines
    else:
        with _with_newlines(stream) as lines:
            yield lines


def _is_utf16(sample: bytes) -> bool:
    """Return True if every other byte is NUL, as in UTF-16 of ASCII characters."""
    even, odd = sample[0:200:2], sample[1:200:2]
    return len(sample) >= 8 and (even.strip(b"\0") == b"" or odd.strip(b"\0") == b"") and even.strip(b"\0") != odd


def _decode(stream: BinaryIO, copy: BinaryIO, encoding: str, path: str, is_settled: bool) -> None:
    decoder = codecs.getincrementaldecoder(encoding)()
    name = encoding.upper()
    while True:
        chunk = stream.read(CHUNK_BYTES)
        try:
            copy.write(decoder.decode(chunk, final=not chunk).encode("utf-8"))
        except UnicodeDecodeError as fault:
            if chunk:
                place = stream.tell() - len(chunk) + max(fault.start, 0)
                raise OutcomesError(f"{path} is {name} with a fault near byte {place:,}: save it as UTF-8") from None
            kind = OutcomesError if is_settled else UnfinishedError
            raise kind(f"{path} is {name} that ends within a character: it was cut off") from None
        if not chunk:
            return


@contextmanager
def _with_newlines(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Yield the stream, or if its lines end with \\r alone, a copy of it in which they end with \\n."""
    stream.seek(0)
    sample = stream.read(SAMPLE_BYTES)
    stream.seek(0)
    # At the end of the sample, \n may follow.
    if b"\n" in sample or b"\r" not in sample[: SAMPLE_BYTES - 1]:
        yield stream
        return
    with tempfile.TemporaryFile() as copy:
        while chunk := stream.read(CHUNK_BYTES):
            copy.write(chunk.replace(b"\r", b"\n"))
        copy.seek(0)
        yield cast(BinaryIO, copy)


@contextmanager
def copied(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Yield a copy of a stream that cannot seek."""
    with tempfile.TemporaryFile() as copy:
        shutil.copyfileobj(stream, copy)
        copy.seek(0)
        yield cast(BinaryIO, copy)
