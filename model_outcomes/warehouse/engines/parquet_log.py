"""Writes the log as Parquet files, which DuckDB and Spark read in place.

    DIR/export.json                                          identifies the log, and its columns
    DIR/model_outcomes/batch=<first>-<last>/day=<day>/*      outcomes by id, then by UTC day
    DIR/<other table>/rows.parquet                           each of the other tables

A batch is written to another folder, counted, and renamed into place: a reader sees all of it or nothing. Its name has
the last exported id, so the next export continues after one that was killed.

Each batch lists its files with size, time and digest (`_files.json`, which engines do not read). Each export and each
build compares the files with the list, and writes a lost or damaged batch again.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from model_outcomes.base import disk, locks, outputs
from model_outcomes.base.errors import OutcomesError, expect_installed
from model_outcomes.warehouse.engines import log_tables
from model_outcomes.warehouse.engines.log_tables import LOG, Export, Stretch, Table

if TYPE_CHECKING:
    import pyarrow

FORMAT = 1
DESCRIPTOR = "export.json"
UNFINISHED = ".unfinished"
BATCH_ROWS = 1_000_000
FILES = "_files.json"
BATCH_NAME = re.compile(r"batch=(\d{18})-(\d{18})")

Progress = Callable[[int], None]


def export(connection: sqlite3.Connection, folder: Path, *, batch: int = BATCH_ROWS,
           progress: Progress = lambda rows: None) -> Export:  # fmt: skip
    """Export what is new in the log to the files in `folder`. `progress` gets the number of outcomes in each batch.

    Raises OutcomesError if the folder holds something else, or the written rows do not agree with the log; BusyError
    if another export is running.
    """
    expect_installed("parquet", "pyarrow")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _refuse_another(connection, folder)
        with locks.exclusive(folder / "export.lock", "an export"):
            shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
            try:
                return _bring_up(connection, folder, batch, progress)
            finally:
                shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
    except OSError as fault:
        raise OutcomesError(f"cannot write to {folder.absolute()}: {fault.strerror or fault}") from None


def mend(connection: sqlite3.Connection, folder: Path) -> int:
    """Write lost or damaged files in `folder` again. Return the number of stretches of outcomes that were written.

    Raises OutcomesError and BusyError as export().
    """
    if exported_to(folder) is None:
        return 0
    try:
        _refuse_another(connection, folder)
        if not (_broken(folder, log_tables.table(connection, LOG)) or _broken_others(folder)):
            return 0
        expect_installed("parquet", "pyarrow")
        with locks.exclusive(folder / "export.lock", "an export"):
            try:
                stretches = _write_again(connection, folder, BATCH_ROWS)
                with log_tables.reading(connection):
                    for name in _broken_others(folder):
                        _write_other(connection, folder, name, exported_to(folder) or 0)
                return stretches
            finally:
                shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
    except OSError as fault:
        raise OutcomesError(f"cannot write to {folder.absolute()}: {fault.strerror or fault}") from None


def exported_to(folder: Path) -> int | None:
    """Return the id of the last outcome in the files of `folder`, None if it has no exported log."""
    if not (folder / DESCRIPTOR).is_file() or not (folder / LOG).is_dir():
        return None
    names = [BATCH_NAME.fullmatch(path.name) for path in (folder / LOG).iterdir()]
    return max((int(name[2]) for name in names if name), default=None)


def _bring_up(connection: sqlite3.Connection, folder: Path, batch: int, progress: Progress) -> Export:
    log = log_tables.table(connection, LOG)
    last = exported_to(folder)
    if last is None:
        _describe(connection, folder, log, 0)
        # Engines read the columns from a file, so there must be one.
        _write_batch(connection, folder, log, Stretch(-1, 0, 0))
    else:
        _write_again(connection, folder, batch)
    last, total = last or 0, 0
    for stretch in log_tables.stretches(connection, last, batch):
        _write_batch(connection, folder, log, stretch)
        _describe(connection, folder, log, stretch.last)
        progress(stretch.rows)
        last, total = stretch.last, total + stretch.rows
    with log_tables.reading(connection):
        others = {name: _write_other(connection, folder, name, last) for name in log_tables.OTHER_TABLES}
    return Export(total, last, others)


def _write_again(connection: sqlite3.Connection, folder: Path, batch: int) -> int:
    """Write each lost or damaged batch again. Return the number of stretches that were written."""
    log, count = log_tables.table(connection, LOG), 0
    for first, last in _broken(folder, log):
        (folder / UNFINISHED).mkdir(exist_ok=True)
        damaged = folder / LOG / _batch_name(first, last)
        if damaged.is_dir():
            damaged.rename(folder / UNFINISHED / f"damaged-{damaged.name}")
        if last == 0:
            _write_batch(connection, folder, log, Stretch(-1, 0, 0))
            count += 1
        for stretch in log_tables.stretches(connection, max(first - 1, 0), batch, last):
            _write_batch(connection, folder, log, stretch)
            count += 1
    if count:
        _describe(connection, folder, log, exported_to(folder) or 0)
    return count


def _broken(folder: Path, log: Table) -> list[tuple[int, int]]:
    """Return the first and last id of each batch that is lost, has files that have changed, or has the columns of an
    earlier version.

    Raises OutcomesError if two batches hold the same ids.
    """
    names = (BATCH_NAME.fullmatch(path.name) for path in (folder / LOG).iterdir())
    broken, expected = [], 0
    is_older = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))["columns"] != log.names
    for first, last in sorted((int(name[1]), int(name[2])) for name in names if name):
        if first < expected:
            raise OutcomesError(f"{folder.absolute()} has outcome {first} twice: export to a new folder")
        if first > expected:
            broken.append((expected, first - 1))
        if is_older or not _is_whole(folder / LOG / _batch_name(first, last)):
            broken.append((first, last))
        expected = last + 1
    return broken


def _broken_others(folder: Path) -> list[str]:
    return [name for name in log_tables.OTHER_TABLES if not (folder / name / "rows.parquet").is_file()]


def _is_whole(batch: Path) -> bool:
    """Return whether a batch has exactly the files of its list, unchanged. A digest is computed only if the time of the
    file has changed, because it takes reading the file."""
    try:
        listed: dict[str, list[Any]] = json.loads((batch / FILES).read_text(encoding="utf-8"))
        if {str(file.relative_to(batch)) for file in batch.glob("**/*.parquet")} != listed.keys():
            return False
        for name, (size, modified_ns, sha256) in listed.items():
            stat = (batch / name).stat()
            if stat.st_size != size or (stat.st_mtime_ns != modified_ns and _sha256(batch / name) != sha256):
                return False
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return False
    return True


def _list_files(batch: Path, files: list[Path]) -> None:
    listed = {}
    for file in files:
        stat = file.stat()
        listed[str(file.relative_to(batch))] = [stat.st_size, stat.st_mtime_ns, _sha256(file)]
    (batch / FILES).write_text(json.dumps(listed) + "\n", encoding="utf-8")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _batch_name(first: int, last: int) -> str:
    return f"batch={first:018}-{last:018}"


def _write_batch(connection: sqlite3.Connection, folder: Path, log: Table, stretch: Stretch) -> None:
    from pyarrow import dataset, parquet

    aside = folder / UNFINISHED / _batch_name(stretch.after + 1, stretch.last)
    if stretch.rows:
        with log_tables.reading(connection):
            dataset.write_dataset(
                _by_day(log, log_tables.outcomes(connection, log, stretch)),
                aside,
                format="parquet",
                basename_template="part-{i}.parquet",
                partitioning=["day"],
                partitioning_flavor="hive",
                file_options=dataset.ParquetFileFormat().make_write_options(compression="zstd"),
                max_partitions=1_000_000,
                use_threads=False,
            )
    else:
        (aside / "day=1970-01-01").mkdir(parents=True)
        parquet.write_table(_schema(log).empty_table(), aside / "day=1970-01-01" / "part-0.parquet")
    files = sorted(aside.glob("*/*.parquet"))
    written = sum(parquet.read_metadata(file).num_rows for file in files)
    if written != stretch.rows:
        raise OutcomesError(f"{written:,} outcomes were written of {stretch.rows:,} above id {stretch.after}: {folder}")
    _list_files(aside, files)
    os.sync()  # there is a file per day: one by one takes many times as long
    (folder / LOG).mkdir(exist_ok=True)
    aside.rename(folder / LOG / aside.name)
    disk.sync(folder / LOG)


def _write_other(connection: sqlite3.Connection, folder: Path, name: str, last: int) -> int:
    from pyarrow import parquet

    other = log_tables.table(connection, name)
    schema = _schema(other)
    (folder / name).mkdir(exist_ok=True)
    with outputs.replacing(folder / name / "rows.parquet") as unfinished:
        with parquet.ParquetWriter(unfinished, schema, compression="zstd") as writer:
            expected, chunks = log_tables.rows(connection, other, last)
            for chunk in chunks:
                writer.write_table(_arrow(chunk, schema))
        written: int = parquet.read_metadata(unfinished).num_rows
        if written != expected:
            raise OutcomesError(f"{written:,} rows of {name} were written of {expected:,}: {folder}")
    return written


def _by_day(log: Table, chunks: Iterator[Any]) -> pyarrow.Table:
    """Return the outcomes sorted by day, so that one file at a time is open."""
    import pyarrow
    from pyarrow import compute

    schema = _schema(log)
    table = pyarrow.Table.from_batches(
        (batch for chunk in chunks for batch in _arrow(chunk, schema).to_batches()), schema
    )
    day = compute.utf8_slice_codeunits(table["timestamp"], 0, 10)
    return table.append_column("day", day).sort_by([("day", "ascending"), ("id", "ascending")])


def _arrow(chunk: Any, schema: pyarrow.Schema) -> pyarrow.Table:
    import pyarrow

    columns = zip(zip(*chunk, strict=True), schema.types, strict=True)
    return pyarrow.Table.from_arrays([pyarrow.array(values, type) for values, type in columns], schema=schema)


def _schema(table: Table) -> pyarrow.Schema:
    import pyarrow

    types = {"INTEGER": pyarrow.int64(), "REAL": pyarrow.float64(), "TEXT": pyarrow.string()}
    return pyarrow.schema([pyarrow.field(column.name, types[column.type]) for column in table.columns])


def _describe(connection: sqlite3.Connection, folder: Path, log: Table, outcome_id: int) -> None:
    """Write the descriptor. A later export compares the outcome in it to recognise the same log."""
    descriptor = {
        "format": FORMAT,
        "columns": log.names,
        "outcome_id": outcome_id,
        "sha256": log_tables.fingerprint(connection, outcome_id),
    }
    with outputs.replacing(folder / DESCRIPTOR) as unfinished:
        unfinished.write_text(json.dumps(descriptor, indent=2) + "\n", encoding="utf-8")


def _refuse_another(connection: sqlite3.Connection, folder: Path) -> None:
    """Raise OutcomesError if the folder holds anything but an export of this log."""
    place = folder.absolute()
    path = folder / DESCRIPTOR
    if not path.exists():
        ours = {"export.lock", "export.holder.json"}
        names = sorted(entry.name for entry in folder.iterdir())
        if strangers := [name for name in names if name not in ours and not name.startswith(".export.")]:
            raise OutcomesError(f"{place} holds {strangers[0]} and no exported log: name another folder")
        return
    try:
        descriptor = json.loads(path.read_text(encoding="utf-8"))
        outcome_id, columns, sha256, version = (
            descriptor[name] for name in ("outcome_id", "columns", "sha256", "format")
        )
        if not isinstance(outcome_id, int) or not isinstance(columns, list) or not 0 <= outcome_id < 2**63:
            raise ValueError("no id, or no columns")
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise OutcomesError(f"{path.absolute()} is damaged: export to a new folder") from None
    log = log_tables.table(connection, LOG)
    if version != FORMAT or (columns != log.names and not log_tables.added(log, columns)):
        raise OutcomesError(f"{place} was exported with other columns: export to a new folder")
    if sha256 != log_tables.fingerprint(connection, outcome_id):
        raise OutcomesError(f"{place} holds another log: its outcome {outcome_id} differs; name another folder")
