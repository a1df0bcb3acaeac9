"""The dbt docs as one page: dbt's own site with what it needs inside it, and every column with its type.

SQLite knows the types of stored columns, and none of what a view computes; there the dbt project says it, once:
a name has one type, wherever it stands.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from model_outcomes.base import outputs, paths
from model_outcomes.base.errors import BuildError, NotBuiltError, OutcomesError
from model_outcomes.log import store
from model_outcomes.warehouse import builds

# By what a type's name holds SQLite decides how it stores a value (datatype3.html, 3.1).
AFFINITIES = {"INT": "INTEGER", "CHAR": "TEXT", "TEXT": "TEXT", "REAL": "REAL", "FLOA": "REAL", "DOUB": "REAL"}
UNKNOWN = "UNKNOWN"
PAGE = "docs"

Artifact = dict[str, Any]


def write(database: Path, path: Path) -> int:
    """Write the page on a built database to `path`; the number of tables and views in it.

    Raises NotBuiltError where a dbt model is not in the database, OutcomesError where `path` cannot be written.
    """
    path = outputs.check(path, database, "page of docs", lambda file: outputs.is_page(file, PAGE))
    store.open_existing(database).close()
    if not path.absolute().parent.is_dir():
        raise OutcomesError(f"cannot write {path}: there is no such folder")
    folder = paths.build_folder(database) / "docs"
    with builds.building(database, "docs"):
        (command,) = builds.run_dbt(database, [["--quiet", "docs", "generate"]], logs=folder, artifacts=folder)
        if not command.success:
            raise BuildError(f"dbt could not describe {database}: {command.fault or 'it did not say why'}")
        manifest, catalog = (_read(folder / f"{name}.json") for name in ("manifest", "catalog"))
        site = (folder / "index.html").read_text(encoding="utf-8")
    complete(manifest, catalog)
    with outputs.replacing(path) as unfinished:
        folders = [folder, builds.workspace_project(database), builds.project_folder()]
        unfinished.write_text(page(site, manifest, catalog, folders), encoding="utf-8")
    return len(catalog["nodes"]) + len(catalog["sources"])


def complete(manifest: Artifact, catalog: Artifact) -> None:
    """Give each column of both its type, in place. Raises NotBuiltError where the catalog lacks a dbt model."""
    described = dict(_described(manifest))
    found = {**catalog["nodes"], **catalog["sources"]}
    missing = [node["name"] for key, node in described.items() if key not in found]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise NotBuiltError(f"the database has no {missing[0]}{more} yet: run `loader build`")
    types = _types_by_name(described, found)
    for key, node in described.items():
        for name, column in found[key]["columns"].items():
            declared = node["columns"].setdefault(name, {"name": name, "description": ""})
            stored = _stored(column["type"]) or _stored(declared.get("data_type")) or types.get(name)
            column["type"] = stored or UNKNOWN
            declared["data_type"] = declared.get("data_type") or column["type"].lower()


def page(site: str, manifest: Artifact, catalog: Artifact, folders: Sequence[Path]) -> str:
    """Return dbt's site with our mark, and with both artifacts in the places that it has for them. No text of
    theirs can end its script, and no path in them says in which of the `folders` they were made."""
    site = site.replace("<head>", f"<head>{outputs.mark(PAGE)}", 1)
    for name, artifact in (("MANIFEST", manifest), ("CATALOG", catalog)):
        data = json.dumps(artifact, ensure_ascii=False).replace("<", "\\u003c")
        for folder in folders:
            data = data.replace(json.dumps(f"{folder}/", ensure_ascii=False)[1:-1], "")
            data = data.replace(json.dumps(str(folder), ensure_ascii=False), '"."')
        site = site.replace(f'"{name}.JSON INLINE DATA"', data)
    return site


def _described(manifest: Artifact) -> Iterator[tuple[str, Artifact]]:
    """Yield everything that is a table or a view, by its id in the manifest."""
    yield from manifest["sources"].items()
    for key, node in manifest["nodes"].items():
        if node["resource_type"] in ("model", "seed", "snapshot"):
            yield key, node


def _types_by_name(described: Mapping[str, Artifact], found: Mapping[str, Artifact]) -> dict[str, str]:
    """Return what a column is where it is stored or declared."""
    types: dict[str, str] = {}
    for key, node in described.items():
        for name, column in found[key]["columns"].items():
            declared = node["columns"].get(name, {}).get("data_type")
            if stored := _stored(column["type"]) or _stored(declared):
                types[name] = stored
    return types


def _stored(type: str | None) -> str | None:
    """Return SQLite's own name of a type that it or dbt names; None if it is unknown."""
    return next((stored for part, stored in AFFINITIES.items() if part in (type or "").upper()), None)


def _read(path: Path) -> Artifact:
    artifact: Artifact = json.loads(path.read_text(encoding="utf-8"))
    return artifact
