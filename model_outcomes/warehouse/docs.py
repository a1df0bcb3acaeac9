"""Writes the dbt docs as one page: dbt's own site with its data inside, and every column with its type and description.

SQLite knows the types of stored columns, but not of columns that a view computes. The type of those is the type that
the dbt project declares, or that a stored column of the same name has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from model_outcomes.base import outputs, paths
from model_outcomes.base.errors import BuildError, NotBuiltError, OutcomesError
from model_outcomes.log import store
from model_outcomes.warehouse import builds, descriptions

# SQLite decides by a part of the type's name how it stores a value (https://sqlite.org/datatype3.html, 3.1).
AFFINITIES = {"INT": "INTEGER", "CHAR": "TEXT", "TEXT": "TEXT", "REAL": "REAL", "FLOA": "REAL", "DOUB": "REAL"}
UNKNOWN = "UNKNOWN"
PAGE = "docs"

Artifact = dict[str, Any]


def write(database: Path, path: Path) -> int:
    """Write the page about a built database to `path`. Return the number of tables and views in it.

    Raises NotBuiltError if a dbt model is not in the database, OutcomesError if `path` cannot be written.
    """
    path = outputs.check(path, database, "page of docs", lambda file: outputs.is_page(file, PAGE))
    store.open_existing(database).close()
    if not path.absolute().parent.is_dir():
        raise OutcomesError(f"cannot write {path}: the folder does not exist")
    folder = paths.build_folder(database) / "docs"
    with builds.lock(database, "docs"):
        (command,) = builds.run_dbt(database, [["--quiet", "docs", "generate"]], logs=folder, artifacts=folder)
        if not command.success:
            raise BuildError(f"dbt could not describe {database}: {command.fault or 'no reason given'}")
        manifest, catalog = (_read(folder / f"{name}.json") for name in ("manifest", "catalog"))
        site = (folder / "index.html").read_text(encoding="utf-8")
    complete(manifest, catalog)
    with outputs.replacing(path) as unfinished:
        folders = [folder, builds.workspace_project(database), builds.project_folder()]
        unfinished.write_text(page(site, manifest, catalog, folders), encoding="utf-8")
    return len(catalog["nodes"]) + len(catalog["sources"])


def complete(manifest: Artifact, catalog: Artifact) -> None:
    """Add the type of each column to both and its description to the manifest, in place. The manifest then lists the
    columns of each table as they are in the database. Raises NotBuiltError if the catalog lacks a dbt model."""
    described = dict(_described(manifest))
    relations = {**catalog["nodes"], **catalog["sources"]}
    missing = [node["name"] for key, node in described.items() if key not in relations]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise NotBuiltError(f"the database has no {missing[0]}{more} yet: run `loader build`")
    types = _types_by_name(described, relations)
    for key, node in described.items():
        columns: Artifact = {}
        for name, column in relations[key]["columns"].items():
            declared = columns[name] = node["columns"].get(name, {"name": name, "description": ""})
            stored = _stored(column["type"]) or _stored(declared.get("data_type")) or types.get(name)
            column["type"] = stored or UNKNOWN
            declared["data_type"] = declared.get("data_type") or column["type"].lower()
        node["columns"] = columns
    descriptions.inherit(manifest)


def page(site: str, manifest: Artifact, catalog: Artifact, folders: Sequence[Path]) -> str:
    """Return dbt's site with our mark and both artifacts in it. No text in the artifacts can end the script, and the
    paths of `folders` are removed from them."""
    site = site.replace("<head>", f"<head>{outputs.mark(PAGE)}", 1)
    for name, artifact in (("MANIFEST", manifest), ("CATALOG", catalog)):
        data = json.dumps(artifact, ensure_ascii=False).replace("<", "\\u003c")
        for folder in folders:
            data = data.replace(json.dumps(f"{folder}/", ensure_ascii=False)[1:-1], "")
            data = data.replace(json.dumps(str(folder), ensure_ascii=False), '"."')
        site = site.replace(f'"{name}.JSON INLINE DATA"', data)
    return site


def _described(manifest: Artifact) -> Iterator[tuple[str, Artifact]]:
    """Yield the sources, dbt models, seeds and snapshots with their ids in the manifest."""
    yield from manifest["sources"].items()
    for key, node in manifest["nodes"].items():
        if node["resource_type"] in ("model", "seed", "snapshot"):
            yield key, node


def _types_by_name(described: Mapping[str, Artifact], relations: Mapping[str, Artifact]) -> dict[str, str]:
    """Return the types of the columns that are stored or declared, by name."""
    types: dict[str, str] = {}
    for key, node in described.items():
        for name, column in relations[key]["columns"].items():
            declared = node["columns"].get(name, {}).get("data_type")
            if stored := _stored(column["type"]) or _stored(declared):
                types[name] = stored
    return types


def _stored(type: str | None) -> str | None:
    """Return SQLite's name for a type of SQLite or dbt, None if it is unknown."""
    return next((stored for part, stored in AFFINITIES.items() if part in (type or "").upper()), None)


def _read(path: Path) -> Artifact:
    artifact: Artifact = json.loads(path.read_text(encoding="utf-8"))
    return artifact
