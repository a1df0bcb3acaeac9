"""The marts as files: CSV for spreadsheets, JSON Lines and Parquet for programs, and a description of them all.

`datapackage.json` is a Data Package (datapackage.org). It lists each file, also the snapshot, with columns, types, key
and digest.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from model_outcomes.answers import terminal
from model_outcomes.base import paths
from model_outcomes.base.connection import open_sqlite
from model_outcomes.base.errors import missing
from model_outcomes.publish import logical_types
from model_outcomes.publish.logical_types import Logical
from model_outcomes.warehouse.marts import Column, Mart

DESCRIPTOR = "datapackage.json"
REPORT = "report.html"
NAME = "model-outcomes"
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
FIELD_TYPES = {"text": "string", "bigint": "integer", "integer": "integer", "double": "number"}
KINDS = ("csv", "jsonl", "parquet")  # a folder each
MEDIA_TYPES = {
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
    "html": "text/html",
    "sqlite": "application/vnd.sqlite3",
}
ABOUT_SNAPSHOT = "Every mart as a table of one SQLite file, with descriptions of tables and columns."
ABOUT_REPORT = "The marts in words and charts, as a page that needs only a browser."
BATCH_ROWS = 10_000
BATCH_BYTES = 2**20


@dataclass(frozen=True)
class Table:
    """A mart in the snapshot, its columns in order, and the logical types of the columns that have one."""

    mart: Mart
    columns: list[Column]
    logical: dict[str, Logical]

    def rows(self, connection: sqlite3.Connection) -> sqlite3.Cursor:
        return connection.execute(f'select * from "{self.mart.name}"')


def has_parquet() -> bool:
    return not missing("pyarrow")


def write(
    folder: Path, snapshot: Path, marts: Sequence[Mart], run_id: str, as_of: str, report: str | None
) -> list[Path]:
    """Write every mart of a snapshot in every format to `folder`, then the report, if any, and datapackage.json. Return
    the paths of all published files relative to the folder, the snapshot first, the descriptor last."""
    formats = {"csv": _write_csv, "jsonl": _write_jsonl} | ({"parquet": _write_parquet} if has_parquet() else {})
    resources = [_file("snapshot", ABOUT_SNAPSHOT, snapshot, "sqlite", folder)]
    with closing(open_sqlite(snapshot)) as connection:
        tables = [_table(connection, mart) for mart in marts]
        for format, write_one in formats.items():
            (folder / format).mkdir()
            for table in tables:
                path = folder / format / f"{table.mart.name}.{format}"
                write_one(connection, table, path)
                resources.append(_resource(table, format, path, folder))
    if report is not None:
        (folder / REPORT).write_text(report, encoding="utf-8")
        resources.append({**_file("report", ABOUT_REPORT, folder / REPORT, "html", folder), "encoding": "utf-8"})
    package = {
        "$schema": PROFILE,
        "name": NAME,
        "title": "Model outcomes",
        "description": "Which model is best at which task, how sure that is, and what a success costs.",
        "created": as_of,
        "run_id": run_id,
        "resources": resources,
    }
    (folder / DESCRIPTOR).write_text(json.dumps(package, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return [*(Path(resource["path"]) for resource in resources), Path(DESCRIPTOR)]


def is_descriptor(path: Path) -> bool:
    """Return True if a file is a datapackage.json that this module wrote."""
    return _read(path).get("name") == NAME


def listed_files(folder: Path) -> set[str]:
    """Return the files that datapackage.json in `folder` lists and that can be ours, without datapackage.json."""
    return {path for path in _digests(folder) if _is_ours(Path(path))}


def damaged_files(folder: Path) -> set[str]:
    """Return the files that datapackage.json in `folder` lists and that are missing or have another digest."""
    return {
        path for path, digest in _digests(folder).items() if _is_ours(Path(path)) and _digest(folder / path) != digest
    }


def _is_ours(path: Path) -> bool:
    return path.as_posix() in (paths.SNAPSHOT, REPORT) or (
        len(path.parts) == 2 and path.parts[0] in KINDS and path.suffix == f".{path.parts[0]}"
    )


def _digests(folder: Path) -> dict[str, str | None]:
    try:
        return {resource["path"]: resource.get("hash") for resource in _read(folder / DESCRIPTOR)["resources"]}
    except (KeyError, TypeError, AttributeError):
        return {}


def _read(path: Path) -> dict[str, Any]:
    try:
        package = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return package if isinstance(package, dict) else {}


def _table(connection: sqlite3.Connection, mart: Mart) -> Table:
    names = [name for (name,) in connection.execute("select name from pragma_table_info(?)", (mart.name,))]
    return Table(mart, [mart.column(name) for name in names], logical_types.of_columns(connection, mart.name, names))


def _write_csv(connection: sqlite3.Connection, table: Table, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column.name for column in table.columns])
        writer.writerows([terminal.spreadsheet_safe(value) for value in row] for row in table.rows(connection))


def _write_jsonl(connection: sqlite3.Connection, table: Table, path: Path) -> None:
    names = [column.name for column in table.columns]
    booleans = [name for name in names if table.logical.get(name) == "boolean"]

    def line(row: Sequence[Any]) -> dict[str, Any]:
        values = dict(zip(names, row, strict=True))
        return values | {name: bool(values[name]) for name in booleans if values[name] is not None}

    with path.open("wb") as file:
        rows = table.rows(connection)
        while batch := rows.fetchmany(BATCH_ROWS):
            file.write(msgspec.json.Encoder().encode_lines(map(line, batch)))


def _write_parquet(connection: sqlite3.Connection, table: Table, path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    text = pyarrow.string()
    physical = {"bigint": pyarrow.int64(), "integer": pyarrow.int64(), "double": pyarrow.float64()}
    logical = {"date": pyarrow.date32(), "datetime": pyarrow.timestamp("us", "UTC"), "boolean": pyarrow.bool_()}

    def array(values: Sequence[Any], kind: Any) -> Any:
        if kind == text:
            return pyarrow.array([str(value) if value is not None else None for value in values], kind)
        if kind == logical["boolean"]:
            return pyarrow.array([bool(value) if value is not None else None for value in values], kind)
        if kind == logical["date"]:
            return pyarrow.array(values, text).cast(kind)
        if kind == logical["datetime"]:
            return pyarrow.array(values, text).cast(pyarrow.timestamp("us")).cast(kind)
        return pyarrow.array(values, kind)

    schema = pyarrow.schema(
        [
            pyarrow.field(
                each.name,
                logical[table.logical[each.name]] if each.name in table.logical else each.typed(physical, text),
                metadata={"description": each.description},
            )
            for each in table.columns
        ],
        metadata={"description": table.mart.description},
    )
    rows = table.rows(connection)
    with parquet.ParquetWriter(path, schema) as writer:
        while batch := rows.fetchmany(BATCH_ROWS):
            arrays = [array(values, kind) for values, kind in zip(zip(*batch, strict=True), schema.types, strict=True)]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


def _resource(table: Table, format: str, path: Path, folder: Path) -> dict[str, Any]:
    name = f"{table.mart.name}-{format}".replace("_", "-")
    resource = _file(name, table.mart.description.strip(), path, format, folder) | {"title": table.mart.name}
    # The standard has no tables in JSON Lines, and its tools fail on one without rows.
    resource["type"] = "table" if format == "csv" else "file"
    if format == "parquet":  # a Parquet file contains its schema
        return resource
    fields = [_field(column, table.logical.get(column.name), format) for column in table.columns]
    key = {"primaryKey": list(table.mart.key)} if table.mart.key else {}
    return {**resource, "encoding": "utf-8", "schema": {"fields": fields, **key, "missingValues": [""]}}


def _field(column: Column, logical: Logical | None, format: str) -> dict[str, Any]:
    field: dict[str, Any] = {"name": column.name, "type": logical or column.typed(FIELD_TYPES, "any")}
    if logical == "datetime":
        field["format"] = logical_types.TIME_FORMAT
    if logical == "boolean" and format == "csv":
        field |= {"trueValues": ["1"], "falseValues": ["0"]}
    return {**field, "description": column.description.strip()}


def _file(name: str, description: str, path: Path, format: str, folder: Path) -> dict[str, Any]:
    return {
        "name": name,
        "title": name,
        "description": description,
        "type": "file",
        "path": path.relative_to(folder).as_posix(),
        "format": format,
        "mediatype": MEDIA_TYPES[format],
        "bytes": path.stat().st_size,
        "hash": _digest(path),
    }


def _digest(path: Path) -> str | None:
    """Return the digest of a file in the format of a Data Package, None if the file cannot be read."""
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while part := file.read(BATCH_BYTES):
                digest.update(part)
    except OSError:
        return None
    return f"sha256:{digest.hexdigest()}"
