"""Reads and writes files of exports. A file from another project is untrusted: it is read line by line within limits,
checked as a whole, and every fault is reported."""

from __future__ import annotations

import gzip
import hashlib
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from io import BufferedReader, BytesIO
from pathlib import Path
from typing import BinaryIO, cast

from model_outcomes.base import console, disk, errors, outputs, paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.federation.format import FORMAT, VERSION, Export, Header, Row, checked
from model_outcomes.intake import opening
from model_outcomes.log.outcome import InvalidOutcome
from model_outcomes.log.validation import json_object

LINE_LIMIT_BYTES = 16_384
FILE_LIMIT_BYTES = 100_000_000
SHOWN_FAULTS = 100


class RejectedFile(OutcomesError):
    """A file that is not valid federated_stats; the message has a line for each fault."""

    def __init__(self, name: str, faults: list[str]) -> None:
        shown = "".join(f"\n  {fault}" for fault in faults[:SHOWN_FAULTS])
        more = "\n  and more" if len(faults) > SHOWN_FAULTS else ""
        super().__init__(f"{name} is rejected, nothing of it was imported:{shown}{more}")
        self.faults = faults


def read(name: str, now: datetime) -> list[Export]:
    """Return the exports in a file, gzipped or not; `-` is standard input.

    Raises RejectedFile with every fault in the file, OutcomesError if it cannot be read.
    """
    path = paths.source_name(name)
    with errors.input_faults(path):
        try:
            with _open(name) as stream:
                return _exports(path, stream, now)
        except (EOFError, zlib.error, gzip.BadGzipFile) as fault:
            raise RejectedFile(path, [f"the .gz is damaged: {fault}"]) from None


@contextmanager
def writing(name: str, text: str) -> Iterator[None]:
    """Write `text` beside the file `name`, run the block, then move the text there. If the text cannot be written the
    block does not run; if the block fails no file appears. `-` is standard output, a name ending in .gz is gzipped."""
    if name == "-":
        yield
        console.write(text.removesuffix("\n"))
        return
    content = text.encode()
    path = paths.absolute(name)
    with outputs.replacing(path) as unfinished:
        unfinished.write_bytes(gzip.compress(content, mtime=0) if path.suffix == ".gz" else content)
        disk.sync(unfinished)  # before the block notes the export
        yield


def check(name: str, database: Path) -> str:
    """Return the file to write if an export is to go to `name`; `-` is standard output. Raises OutcomesError as
    `outputs.check`."""
    return name if name == "-" else str(outputs.check(Path(name), database, "export", _is_export))


def _is_export(path: Path) -> bool:
    """Return whether the file begins as an export does."""
    try:
        with _open(str(path)) as stream:
            header = json_object(stream.readline(LINE_LIMIT_BYTES))
    except (OSError, EOFError, zlib.error, InvalidOutcome):
        return False
    return header.get("format") == FORMAT


@contextmanager
def _open(name: str) -> Iterator[BinaryIO]:
    with ExitStack() as stack:
        if name == "-":
            raw: BinaryIO = BytesIO(sys.stdin.buffer.read(FILE_LIMIT_BYTES + 1))
        else:
            # Unbuffered: a buffered open of a pipe asks for its position.
            file = stack.enter_context(Path(name).open("rb", buffering=0))
            raw = cast(BinaryIO, BufferedReader(file))
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                opening.refuse_device(file.fileno())
                raw = BytesIO(raw.read(FILE_LIMIT_BYTES + 1))
        is_packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        yield cast(BinaryIO, stack.enter_context(gzip.open(raw, "rb"))) if is_packed else raw


class _Section:
    """An export while it is read. Each row is checked at once; rows beyond the number in the header are not kept."""

    def __init__(self, number: int, header: Header | None) -> None:
        self.number, self.header = number, header
        self.rows: dict[tuple[str, str], Row] = {}
        self.digest, self.count = hashlib.sha256(), 0

    def add(self, line: bytes, values: dict[str, object]) -> list[str]:
        """Return the faults of a row; none for a row beyond the number in the header, which `faults` reports."""
        self.digest.update(line)
        self.count += 1
        if self.header and self.count > self.header.rows:
            return []
        row, faults = checked(Row, values)
        if row is None or self.header is None:
            return faults
        with suppress(ValueError):  # the window is invalid, which is a fault of the header
            faults = row.faults(self.header)
        cell = (row.task_type, row.model_id)
        if cell in self.rows:
            faults.append(f"{row.task_type}, {row.model_id} has a row already")
        self.rows[cell] = row
        return faults

    def faults(self) -> Iterator[str]:
        """Yield the faults of the rows as a whole."""
        if self.header and self.count != self.header.rows:
            yield f"line {self.number}: rows: the header says {self.header.rows:,}, there are {self.count:,}"
        if self.header and self.digest.hexdigest() != self.header.sha256:
            yield f"line {self.number}: sha256: the rows are not those that were exported: they are damaged or changed"


def _exports(path: str, stream: BinaryIO, now: datetime) -> list[Export]:
    """Return the exports, or raise RejectedFile with the faults. The reading stops at more faults than are shown."""
    faults: list[str] = []
    exports: list[Export] = []
    section: _Section | None = None
    for number, line in _lines(path, stream):
        if len(faults) > SHOWN_FAULTS:
            raise RejectedFile(path, faults)
        values = _object(number, line, faults)
        if values is None:
            continue
        if values.get("line") != "row":
            exports += _ended(section, faults)
            section = _Section(number, _header(number, values, now, faults))
            continue
        if section is None:
            faults.append(f"line {number}: a row without a header before it")
            section = _Section(number, None)
        faults += [f"line {number}: {fault}" for fault in section.add(line, values)]
    exports += _ended(section, faults)
    if not section and not faults:
        faults.append("it holds no export")
    if faults:
        raise RejectedFile(path, faults)
    return exports


def _ended(section: _Section | None, faults: list[str]) -> list[Export]:
    """Return the export of a section; nothing if there is a fault in it or before it."""
    if section is None:
        return []
    faults += section.faults()
    return [Export(section.header, list(section.rows.values()), "")] if section.header and not faults else []


def _lines(path: str, stream: BinaryIO) -> Iterator[tuple[int, bytes]]:
    number, size = 0, 0
    while line := stream.readline(LINE_LIMIT_BYTES + 1):
        number, size = number + 1, size + len(line)
        if len(line) > LINE_LIMIT_BYTES:
            raise RejectedFile(path, [f"line {number}: is over {LINE_LIMIT_BYTES:,} bytes"])
        if size > FILE_LIMIT_BYTES:
            raise RejectedFile(path, [f"line {number}: the file has over {FILE_LIMIT_BYTES:,} bytes, unpacked"])
        if line.strip():
            yield number, line.rstrip(b"\r\n") + b"\n"


def _object(number: int, line: bytes, faults: list[str]) -> dict[str, object] | None:
    try:
        return json_object(line)
    except InvalidOutcome as fault:
        faults += [f"line {number}: {each}" for each in fault.faults]
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
    header, header_faults = checked(Header, values)
    if header is not None:
        header_faults = header.faults(now)
    faults += [f"line {number}: {fault}" for fault in header_faults]
    return cast(Header, header) if header is not None else None
