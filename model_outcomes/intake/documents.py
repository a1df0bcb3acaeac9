"""Files as documents: JSON values, JSON Lines, JSON objects one after another, rows of CSV, members of a zip.

A document is JSON as SQLite reads it. A document that is no JSON is a fault; the others of its file are read.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import re
import sqlite3
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from fnmatch import fnmatch
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import msgspec

from model_outcomes.base import paths
from model_outcomes.base.connection import is_in_wal_mode
from model_outcomes.base.errors import OutcomesError, missing
from model_outcomes.intake.mapping import SQLITE_MAGIC
from model_outcomes.intake.opening import refuse_device
from model_outcomes.log.outcome import SURROGATE

DOCUMENT_LIMIT_BYTES = 256_000_000
FAULTS_LIMIT = 1_000  # of a file, after which it is read no further
SEPARATORS = ",;\t|"
ZSTANDARD = 93  # the method of a zip's member
LINE_LIMIT_CHARACTERS = 10_000_000  # of CSV
DEPTH_LIMIT = 1_900  # of JSON that only msgspec has checked: SQLite reads 2,000 levels
MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_ESCAPED_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_NOT_BLANK = re.compile(r"\S")
Part = bytes | str | list[msgspec.Raw]
Opener = Callable[[Path], BinaryIO]


class Document(NamedTuple):
    """A document: its file, the member of a zip or the path of the array that it is an element of, its number in there
    (from 1), its JSON."""

    source: str
    member: str | None
    number: int
    doc: str


@dataclass
class Faults:
    """The faults of one file: the first, and how many there are."""

    first: str = ""
    count: int = 0

    def add(self, message: str) -> None:
        self.first = self.first or message
        self.count += 1

    def __str__(self) -> str:
        return self.first + (f" (and {self.count - 1:,} more such faults)" if self.count > 1 else "")


@dataclass
class Opened:
    """An open file: its documents, or the path of an SQLite database. `faults` is filled while they are read."""

    name: str
    documents: Iterator[Document]
    database: Path | None = None
    faults: Faults = field(default_factory=Faults)


def plain_opener(path: Path) -> BinaryIO:
    """Open a file, or standard input (`-`). Raises OSError."""
    if str(path) == "-":
        return cast(BinaryIO, io.BytesIO(_bounded(sys.stdin.buffer, "standard input")))
    stream = path.open("rb")
    try:
        refuse_device(stream.fileno())
        if not stream.seekable():
            return cast(BinaryIO, io.BytesIO(_bounded(stream, str(path))))
    except BaseException:
        stream.close()
        raise
    return stream


def opened(
    path: Path,
    members: tuple[str, ...] = (),
    tables: tuple[str, ...] = (),
    opener: Opener = plain_opener,
    each: str | None = None,
) -> Opened:
    """Open a file. Of a zip, only the `members` (patterns) are read. Of an SQLite database, the rows of `tables` are
    documents; without `tables` it is returned as a database. If a document has an array at the path `each`, the
    elements of that array are the documents.

    The faults of single documents are counted in the result. A file that cannot be read raises OutcomesError or
    OSError when its documents are taken.
    """
    name = paths.source_name(path)
    content = Opened(name, iter(()))
    stream = opener(path)
    if isinstance(stream, io.BytesIO):  # what a pipe gave, which can be read only once
        copied = stream
        opener = lambda _: copied  # noqa: E731
    magic = stream.read(len(SQLITE_MAGIC))
    if isinstance(stream, io.BytesIO):
        stream.seek(0)
    else:
        stream.close()
    if magic != SQLITE_MAGIC:
        content.documents = _documents(path, name, members, opener, content.faults, each)
    elif tables:
        content.documents = _table_rows(path, name, tables)
    else:
        content.database = path
    return content


def attached(connection: sqlite3.Connection, database: Path) -> None:
    """Attach an SQLite database read-only, as `source`. Raises OutcomesError if SQLite cannot read it."""
    # A database in WAL mode needs files beside it, unless nobody has it open: then it can be read as it is.
    is_whole = is_in_wal_mode(database) and not Path(f"{database}-wal").exists()
    uri = f"{database.absolute().as_uri()}?{'immutable=1' if is_whole else 'mode=ro'}"
    try:
        # No `trusted_schema = off`: SQLite 3.40 then refuses a schema with JSON functions in an index, as Phoenix has.
        connection.execute("attach ? as source", (uri,))
        connection.execute("select count(*) from source.sqlite_master").fetchone()
    except sqlite3.Error as fault:
        raise OutcomesError(f"{paths.shown_path(database)}: {fault}") from None


def _table_rows(path: Path, name: str, tables: tuple[str, ...]) -> Iterator[Document]:
    with closing(sqlite3.connect("file::memory:", uri=True, isolation_level=None)) as connection:
        attached(connection, path)
        connection.text_factory = lambda data: data.decode("utf-8", "replace")
        for table in tables:
            try:
                rows = connection.execute(f'select * from source."{table}"')
            except sqlite3.Error as fault:
                raise OutcomesError(f"{name}: {fault}") from None
            names = [column[0] for column in rows.description]
            for number, row in enumerate(rows, 1):
                values = {key: value for key, value in zip(names, row, strict=True) if not isinstance(value, bytes)}
                yield Document(name, table, number, json.dumps(values, ensure_ascii=False))


def _documents(
    path: Path, name: str, members: tuple[str, ...], opener: Opener, faults: Faults, each: str | None
) -> Iterator[Document]:
    with closing(opener(path)) as stream, closing(sqlite3.connect(":memory:")) as judge:
        beginning = stream.read(4)
        stream.seek(0)
        if beginning.startswith(b"PK"):
            for member, data in _members(stream, name, members):
                yield from _numbered(cast(BinaryIO, io.BytesIO(data)), name, member, judge, faults, each)
        elif beginning.startswith(b"\x1f\x8b"):
            try:
                with gzip.open(stream, "rb") as unpacked:
                    yield from _numbered(cast(BinaryIO, unpacked), name, None, judge, faults, each)
            except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
                raise OutcomesError(f"{name}: the .gz is damaged: {fault}") from None
        else:
            yield from _numbered(stream, name, None, judge, faults, each)


def _members(stream: BinaryIO, name: str, patterns: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    if not patterns:
        raise OutcomesError(f"{name} is a zip, and the mapping names no members of one")
    library: Any = zipfile
    try:
        with zipfile.ZipFile(stream) as archive:
            entries = [each for each in archive.infolist() if any(fnmatch(each.filename, one) for one in patterns)]
        if sys.version_info < (3, 14) and any(each.compress_type == ZSTANDARD for each in entries):
            if missing("backports.zstd"):
                raise OutcomesError(f"{name} is compressed with zstd: install the package backports.zstd")
            library = import_module("backports.zstd.zipfile")
        stream.seek(0)
        with library.ZipFile(stream) as archive:
            for entry in entries:
                if entry.file_size > DOCUMENT_LIMIT_BYTES:
                    raise _too_large(f"{name}: {entry.filename}")
                with archive.open(entry.filename) as member:
                    yield entry.filename, _bounded(member, f"{name}: {entry.filename}")
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error) as fault:
        raise OutcomesError(f"{name} is no zip that can be read: {fault}") from None
    except Exception as fault:
        if type(fault).__name__ in ("BadZipFile", "ZstdError"):  # of the backport
            raise OutcomesError(f"{name} is no zip that can be read: {fault}") from None
        raise


def _numbered(
    stream: BinaryIO, name: str, member: str | None, judge: sqlite3.Connection, faults: Faults, each: str | None
) -> Iterator[Document]:
    place = f"{name}: {member}" if member else name
    number = 0
    for part, data, is_valid in _parts(stream, place, judge, faults, each):
        try:
            for text, path in _texts(data, judge, each, is_valid=is_valid):
                number += 1
                yield Document(name, path or member, number, text)
        except ValueError as fault:
            number += 1
            faults.add(f"{place}: {part}: {fault}" if part else f"{place}: {fault}")
            if faults.count > FAULTS_LIMIT:
                raise OutcomesError(f"{place} holds no JSON: {faults.first}") from None


def _parts(
    stream: BinaryIO, place: str, judge: sqlite3.Connection, faults: Faults, each: str | None
) -> Iterator[tuple[str, Part, bool]]:
    """Yield the documents of a file, each with its place there, and True if it was checked. A document that is the
    whole file may be the elements of its array `each`."""
    line = stream.readline(DOCUMENT_LIMIT_BYTES + 1)
    while line and not line.strip():
        line = stream.readline(DOCUMENT_LIMIT_BYTES + 1)
    encoding = next((name for mark, name in MARKS.items() if line.startswith(mark)), "utf-8")
    is_json = line.removeprefix(codecs.BOM_UTF8).lstrip()[:1] in (b"{", b"[")
    if is_json and line.endswith(b"\n") and _is_valid(line.removeprefix(codecs.BOM_UTF8), judge):
        number = 1
        while line:
            if len(line) > DOCUMENT_LIMIT_BYTES:
                raise _too_large(f"{place}: line {number:,}")
            if line.strip():
                yield f"line {number:,}", line, False
            line, number = stream.readline(DOCUMENT_LIMIT_BYTES + 1), number + 1
        return
    if not is_json and encoding == "utf-8":
        yield from _records(io.TextIOWrapper(cast(Any, _Resumed(line, stream)), "utf-8", newline=""), place)
        return
    data = line + stream.read(max(DOCUMENT_LIMIT_BYTES + 1 - len(line), 0))
    if len(data) > DOCUMENT_LIMIT_BYTES:
        raise _too_large(place)
    try:
        text = data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as fault:
        raise OutcomesError(f"{place}: not {encoding.upper()} at byte {fault.start + 1}") from None
    if not text.lstrip().startswith(("{", "[")):
        yield from _records(io.StringIO(text, newline=""), place)
    elif each and (elements := _elements(text, each)) is not None:
        yield "", elements, True
    elif _is_valid(text, judge):
        yield "", text, True
    else:
        yield from _values(text, faults, place)


class _Resumed(io.RawIOBase):
    """A stream after its first line, with that line before it again."""

    def __init__(self, line: bytes, stream: BinaryIO) -> None:
        self._line, self._stream = line, stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._line[: len(buffer)] or self._stream.read(len(buffer))
        self._line = self._line[len(buffer) :]
        buffer[: len(data)] = data
        return len(data)


def _values(text: str, faults: Faults, place: str) -> Iterator[tuple[str, str, bool]]:
    """Yield JSON values that follow one another. After a fault, go on at the next line that begins with {."""
    decoder, at = json.JSONDecoder(), 0
    while match := _NOT_BLANK.search(text, at):
        at = match.start()
        try:
            _, end = decoder.raw_decode(text, at)
            yield "", text[at:end], False
            at = end
        except (ValueError, RecursionError) as fault:
            line = text.count("\n", 0, getattr(fault, "pos", at)) + 1
            problem = getattr(fault, "msg", None) or "nested too deeply, or a number is too long"
            faults.add(f"{place}: line {line:,}: not JSON: {problem}")
            at = text.find("\n{", at + 1) + 1
            if not at or faults.count > FAULTS_LIMIT:
                return


def _records(lines: Any, place: str) -> Iterator[tuple[str, str, bool]]:
    """Yield the rows of a CSV file as JSON objects of texts. An empty text is absent."""
    try:
        header_line = lines.readline(LINE_LIMIT_CHARACTERS)
        if "\0" in header_line:
            raise OutcomesError(f"{place} is binary")
        separator = max(SEPARATORS, key=header_line.count)
        first = csv.reader([header_line], delimiter=separator)
        names = [cell.strip().removeprefix("\ufeff") for cell in next(first, [])]
        reader = csv.reader(iter(lambda: lines.readline(LINE_LIMIT_CHARACTERS), ""), delimiter=separator)
        for cells in reader:
            pairs = {name: cell for name, cell in zip(names, cells, strict=False) if name and cell != ""}
            if pairs:
                yield f"line {reader.line_num + 1:,}", json.dumps(pairs, ensure_ascii=False), True
    except csv.Error as fault:
        raise OutcomesError(f"{place}: not CSV: {fault}") from None
    except UnicodeDecodeError as fault:
        raise OutcomesError(f"{place}: not UTF-8: {fault.reason}") from None


def _texts(
    data: Part, judge: sqlite3.Connection, each: str | None, *, is_valid: bool
) -> Iterator[tuple[str, str | None]]:
    """Yield a document as `_json_text`, and None. If it has an array `each`, yield the elements instead, and `each`.
    Raises ValueError, before the first element."""
    raw = data if isinstance(data, list) else _elements(data, each) if each else None
    if raw is not None:
        yield from ((str(element, "utf-8"), each) for element in raw)
        return
    text = _json_text(cast("bytes | str", data), judge, is_valid=is_valid)
    if not each or judge.execute("select json_type(?, ?)", (text, each)).fetchone() != ("array",):
        yield text, None
        return
    value = "case when type in ('array', 'object') then value else json_quote(value) end"
    for (element,) in judge.execute(f"select {value} from json_each(?, ?)", (text, each)):
        yield element, each


def _elements(data: bytes | str, each: str) -> list[msgspec.Raw] | None:
    """Return the elements of the array `each` as they are; None if there is no such array, or SQLite must judge it.

    It is faster than SQLite's own check, and as strict in all but depth."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8").removeprefix("\ufeff")
        value = _decoder(each).decode(text)
    except (UnicodeError, msgspec.DecodeError, RecursionError):
        return None
    for _ in range(each.count(".")):
        value = value.value
    if _has_surrogate(text) or any(map(_is_deep, value)):
        return None
    return cast("list[msgspec.Raw]", value)


def _is_deep(element: msgspec.Raw) -> bool:
    """Return True if an element may be nested more deeply than SQLite reads: its length says no of nearly all."""
    view = memoryview(element)
    return view.nbytes > 2 * DEPTH_LIMIT and bytes(view).count(b"[") + bytes(view).count(b"{") > DEPTH_LIMIT


@cache
def _decoder(each: str) -> msgspec.json.Decoder[Any]:
    wanted: Any = list[msgspec.Raw]
    for key in reversed(each.split(".")[1:]):
        wanted = msgspec.defstruct("Level", [("value", wanted, msgspec.field(name=key))])
    return msgspec.json.Decoder(wanted)


def _json_text(data: bytes | str, judge: sqlite3.Connection, *, is_valid: bool) -> str:
    """Return a document as JSON that SQLite reads: NaN and Infinity become null. Raises ValueError."""
    if isinstance(data, bytes):
        try:
            data = data.decode("utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError as fault:
            raise ValueError(f"not UTF-8 at byte {fault.start + 1}") from None
    if (is_valid or _is_valid(data, judge)) and not _has_surrogate(data):
        return data
    try:
        value = json.loads(data, parse_constant=lambda _: None)
        text = SURROGATE.sub("\ufffd", json.dumps(value, ensure_ascii=False))
    except json.JSONDecodeError as fault:
        raise ValueError(f"not JSON at column {fault.colno}: {fault.msg}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not _is_valid(text, judge):
        raise ValueError("nested too deeply, or a number is too large")
    return text


def _has_surrogate(text: str) -> bool:
    """Return True if JSON has half a surrogate pair, or a pair, as an escape."""
    # Most documents have no backslash, and one character is found much faster.
    return "\\" in text and "\\u" in text and _ESCAPED_SURROGATE.search(text) is not None


def _is_valid(data: bytes | str, judge: sqlite3.Connection) -> bool:
    """Return True if SQLite reads it as JSON."""
    try:
        text = data if isinstance(data, str) else data.decode("utf-8")
        return bool(judge.execute("select json_valid(?)", (text,)).fetchone()[0])
    except (UnicodeError, sqlite3.Error):
        return False


def _bounded(stream: Any, place: str) -> bytes:
    data: bytes = stream.read(DOCUMENT_LIMIT_BYTES + 1)
    if len(data) > DOCUMENT_LIMIT_BYTES:
        raise _too_large(place)
    return data


def _too_large(place: str) -> OutcomesError:
    return OutcomesError(f"{place} is longer than {DOCUMENT_LIMIT_BYTES:,} bytes, the limit of one document")
