"""The marts as files: CSV for spreadsheets, JSON Lines and Parquet for programs, and what describes them.

`datapackage.json` is a Data Package (datapackage.org): each file with its columns, types, key and digest.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec

from loader import terminal
from loader.pipeline.marts import Mart

DESCRIPTOR = "datapackage.json"
PACKAGE = "model-outcomes"
REPORT = "report.html"
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"
FIELD_TYPES = {"text": "string", "bigint": "integer", "integer": "integer", "double": "number"}
MEDIA_TYPES = {
    "csv": "text/csv",
    "jsonl": "application/jsonl",
    "parquet": "application/vnd.apache.parquet",
    "html": "text/html",
}
ABOUT_REPORT = "What the marts say, in words and charts, as a page that needs nothing but a browser."
BATCH = 10_000


def has_parquet() -> bool:
    return importlib.util.find_spec("pyarrow") is not None


def write(
    folder: Path, snapshot: Path, marts: Sequence[Mart], run_id: str, as_of: str, report: str | None
) -> list[Path]:
    """Write every mart of a snapshot in every format into `folder`, the report where there is one, and the
    datapackage.json; the files, relative to the folder, the descriptor last."""
    formats = {"csv": _write_csv, "jsonl": _write_jsonl} | ({"parquet": _write_parquet} if has_parquet() else {})
    resources: list[dict[str, Any]] = []
    with closing(sqlite3.connect(snapshot)) as connection:
        for format, write_one in formats.items():
            (folder / format).mkdir()
            for mart in marts:
                path = folder / format / f"{mart.name}.{format}"
                write_one(connection, mart, path)
                names = [name for (name,) in connection.execute("select name from pragma_table_info(?)", (mart.name,))]
                resources.append(_resource(mart, names, format, path, folder))
    if report is not None:
        (folder / REPORT).write_text(report, encoding="utf-8")
        resources.append({"name": "report", "title": "report", "description": ABOUT_REPORT, "type": "file",
                          "encoding": "utf-8", **_file(folder / REPORT, "html", folder)})  # fmt: skip
    package = {
        "$schema": PROFILE,
        "name": PACKAGE,
        "title": "Model outcomes",
        "description": "Which model is best at which task, how sure that is, and what a success costs.",
        "created": as_of,
        "run_id": run_id,
        "resources": resources,
    }
    (folder / DESCRIPTOR).write_text(json.dumps(package, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    return [*(Path(resource["path"]) for resource in resources), Path(DESCRIPTOR)]


def is_descriptor(path: Path) -> bool:
    """Return whether the file is a datapackage.json that `write` made."""
    try:
        package = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return False
    return isinstance(package, dict) and package.get("name") == PACKAGE


def files_of(folder: Path) -> set[Path]:
    """The files that the datapackage.json in `folder` names, as far as they are of the kinds written here."""
    try:
        resources = json.loads((folder / DESCRIPTOR).read_text(encoding="utf-8"))["resources"]
        paths = {Path(resource["path"]) for resource in resources}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {path for path in paths if path == Path(REPORT) or (
        len(path.parts) == 2 and f".{path.parts[0]}" == path.suffix and path.parts[0] in MEDIA_TYPES
    )}  # fmt: skip


def _write_csv(connection: sqlite3.Connection, mart: Mart, path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = connection.execute(f'select * from "{mart.name}"')
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([column[0] for column in rows.description])
        writer.writerows([terminal.spreadsheet_safe(value) for value in row] for row in rows)


def _write_jsonl(connection: sqlite3.Connection, mart: Mart, path: Path) -> None:
    with path.open("wb") as file:
        rows = connection.execute(f'select * from "{mart.name}"')
        names = [column[0] for column in rows.description]
        while batch := rows.fetchmany(BATCH):
            file.write(msgspec.json.Encoder().encode_lines([dict(zip(names, row, strict=True)) for row in batch]))


def _write_parquet(connection: sqlite3.Connection, mart: Mart, path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    text = pyarrow.string()
    types = {"bigint": pyarrow.int64(), "integer": pyarrow.int64(), "double": pyarrow.float64()}
    rows = connection.execute(f'select * from "{mart.name}"')
    columns = [mart.column(name) for name, *_ in rows.description]
    schema = pyarrow.schema(
        [pyarrow.field(each.name, each.typed(types, text), metadata={"description": each.description})
         for each in columns],
        metadata={"description": mart.description},
    )  # fmt: skip
    with parquet.ParquetWriter(path, schema) as writer:
        while batch := rows.fetchmany(BATCH):
            arrays = [
                pyarrow.array(
                    [str(value) if value is not None else None for value in values] if kind == text else values, kind
                )
                for values, kind in zip(zip(*batch, strict=True), schema.types, strict=True)
            ]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))


def _resource(mart: Mart, names: Sequence[str], format: str, path: Path, folder: Path) -> dict[str, Any]:
    resource: dict[str, Any] = {
        "name": f"{mart.name}-{format}".replace("_", "-"),
        "title": mart.name,
        "description": mart.description.strip(),
        **_file(path, format, folder),
    }
    # Of a table in JSON Lines the standard does not speak; its tools stumble over one without rows.
    resource["type"] = "table" if format == "csv" else "file"
    if format == "parquet":  # which carries its own
        return resource
    columns = [mart.column(name) for name in names]
    fields = [
        {"name": each.name, "type": each.typed(FIELD_TYPES, "any"), "description": each.description.strip()}
        for each in columns
    ]
    key = {"primaryKey": list(mart.key)} if mart.key else {}
    return {**resource, "encoding": "utf-8", "schema": {"fields": fields, **key, "missingValues": [""]}}


def _file(path: Path, format: str, folder: Path) -> dict[str, Any]:
    content = path.read_bytes()
    return {
        "path": path.relative_to(folder).as_posix(),
        "format": format,
        "mediatype": MEDIA_TYPES[format],
        "bytes": len(content),
        "hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
    }
