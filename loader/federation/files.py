"""Files of exports, from strangers: read line by line within limits, checked whole, every fault named."""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import BinaryIO, cast

from loader import store
from loader.errors import OutcomesError
from loader.federation.format import FORMAT, VERSION, Export, Header, Row, checked
from loader.outcome import InvalidOutcome, json_object

LINE_LIMIT = 16_384
FILE_LIMIT = 100_000_000
SHOWN = 100


class Refused(OutcomesError):
    """A file that is no federated_stats; the message has a line for each fault."""

    def __init__(self, name: str, faults: list[str]) -> None:
        shown = "".join(f"\n  {fault}" for fault in faults[:SHOWN])
        more = f"\n  and {len(faults) - SHOWN:,} more" if len(faults) > SHOWN else ""
        super().__init__(f"{name} is refused, nothing of it was taken:{shown}{more}")
        self.faults = faults


def read(name: str, now: datetime) -> list[Export]:
    """The exports of a file, `-` for standard input, packed (.gz) or not.

    Raises Refused with all that is wrong with it; OutcomesError where it cannot be read.
    """
    path = "standard input" if name == "-" else str(store.absolute(name))
    try:
        with _open(name) as stream:
            return _exports(path, stream, now)
    except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
        raise Refused(path, [f"the .gz is damaged: {fault}"]) from None
    except OSError as fault:
        raise OutcomesError(f"{path}: {fault.strerror or fault}") from None


@contextmanager
def writing(name: str, text: str) -> Iterator[None]:
    """Write `text` beside `name`, let the block do what has to be done first, then move it there: a
    file that cannot be written stops the block, and a block that fails leaves no file. `-` is
    standard output, a name ending in .gz is packed."""
    if name == "-":
        yield
        sys.stdout.write(text)
        return
    content = text.encode()
    path = store.absolute(name)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
            file.flush()
            os.fsync(file.fileno())
        if path.is_dir():
            raise OutcomesError(f"{path} is a folder: name a file")
        yield
        temporary.replace(path)
    except OSError as fault:
        raise OutcomesError(f"{path}: {fault.strerror or fault}") from None
    finally:
        with suppress(OSError):
            temporary.unlink()


@contextmanager
def _open(name: str) -> Iterator[BinaryIO]:
    with BytesIO(sys.stdin.buffer.read(FILE_LIMIT + 1)) if name == "-" else Path(name).open("rb") as raw:
        is_packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        with gzip.open(raw, "rb") if is_packed else raw as stream:
            yield cast(BinaryIO, stream)


def _exports(path: str, stream: BinaryIO, now: datetime) -> list[Export]:
    """Fault after fault is gathered; what would cost memory without end stops the reading at once."""
    faults: list[str] = []
    sections: list[tuple[int, Header | None, list[tuple[int, bytes]]]] = []
    for number, line in _lines(path, stream):
        values = _object(number, line, faults)
        if values is None:
            continue
        if values.get("line") == "row":
            if not sections:
                faults.append(f"line {number}: a row without a header before it")
                sections.append((number, None, []))
            sections[-1][2].append((number, line))
            continue
        sections.append((number, _header(number, values, now, faults), []))
    if not sections and not faults:
        faults.append("holds no export")
    exports = [_section(number, header, rows, faults) for number, header, rows in sections]
    if faults:
        raise Refused(path, faults)
    return [export for export in exports if export]


def _lines(path: str, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    number, size = 0, 0
    while line := stream.readline(LINE_LIMIT + 1):
        number, size = number + 1, size + len(line)
        if len(line) > LINE_LIMIT:
            raise Refused(path, [f"line {number}: is over {LINE_LIMIT:,} bytes"])
        if size > FILE_LIMIT:
            raise Refused(path, [f"line {number}: the file is over {FILE_LIMIT:,} bytes, unpacked"])
        if line.strip():
            yield number, line.rstrip(b"\r\n") + b"\n"


def _object(number: int, line: bytes, faults: list[str]) -> dict[str, object] | None:
    try:
        return json_object(line)
    except InvalidOutcome as fault:
        faults += [f"line {number}: {reason}" for reason in fault.reasons]
        return None


def _header(number: int, values: dict[str, object], now: datetime, faults: list[str]) -> Header | None:
    if values.get("line") != "header":
        faults.append(f"line {number}: neither a header nor a row of {FORMAT}")
        return None
    if values.get("format") != FORMAT or values.get("version") != VERSION:
        faults.append(
            f"line {number}: is {str(values.get('format'))[:40]} version {str(values.get('version'))[:10]},"
            f" this loader reads {FORMAT} version {VERSION}"
        )
        return None
    header, found = checked(Header, values)
    if header is not None:
        found = header.faults(now)
    faults += [f"line {number}: {fault}" for fault in found]
    return cast(Header, header) if header is not None else None


def _section(
    number: int, header: Header | None, lines: Iterable[tuple[int, bytes]], faults: list[str]
) -> Export | None:
    rows: dict[tuple[str, str], Row] = {}
    digest, count = hashlib.sha256(), 0
    for at, line in lines:
        digest.update(line)
        count += 1
        row, found = checked(Row, json_object(line))
        if row is not None and header is not None:
            try:
                found = row.faults(header)
            except ValueError:  # the window is no window, which the header's faults say
                found = []
        faults += [f"line {at}: {fault}" for fault in found]
        if row is None:
            continue
        cell = (row.task_type, row.model_id)
        if cell in rows:
            faults.append(f"line {at}: {row.task_type}, {row.model_id} has a row before")
        rows[cell] = row
    if header is None:
        return None
    if count != header.rows:
        faults.append(f"line {number}: rows: the header says {header.rows:,}, there are {count:,}")
    if digest.hexdigest() != header.sha256:
        faults.append(f"line {number}: sha256: the rows are not those that left, they were damaged or changed")
    return Export(header, list(rows.values()), "")
