"""Reads the marts from dbt's manifest: their descriptions, columns with types, and keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from model_outcomes.base import paths
from model_outcomes.base.engines import SQLITE
from model_outcomes.base.errors import BuildError
from model_outcomes.warehouse import descriptions

KEY_TESTS = ("rules", "unique")

T = TypeVar("T")


@dataclass(frozen=True)
class Column:
    """A column of a mart. `data_type` is that of the contract (text, bigint, double, integer), None without one."""

    name: str
    data_type: str | None
    description: str

    def typed(self, types: Mapping[str, T], other: T) -> T:
        """Return the value that `types` has for the type of the column, else `other`."""
        return types.get((self.data_type or "").lower(), other)


@dataclass(frozen=True)
class Mart:
    """A table or view for analysts. `key` has the columns of its uniqueness test."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    def column(self, name: str) -> Column:
        """Return a column; one without a description has only its name."""
        return next((column for column in self.columns if column.name == name), Column(name, None, ""))


def read(database: Path, target: str = SQLITE) -> list[Mart]:
    """Return the marts of the last build, by name. Raises BuildError if dbt left no manifest."""
    path = paths.build_folder(database, target) / "target" / "manifest.json"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        descriptions.inherit(manifest)
    except (OSError, ValueError, KeyError):
        raise BuildError(f"there is no {path}: run `loader build` before publishing") from None
    nodes = manifest["nodes"]
    keys = _keys(nodes)
    marts = [
        Mart(
            node["alias"],
            node["description"],
            tuple(
                Column(column["name"], column.get("data_type"), column["description"])
                for column in node["columns"].values()
            ),
            keys.get(name, ()),
        )
        for name, node in nodes.items()
        if node["resource_type"] == "model" and node["fqn"][1:2] == ["marts"]
    ]
    return sorted(marts, key=lambda mart: mart.name)


def _keys(nodes: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the key columns by dbt model, from its first uniqueness test of all rows."""
    keys: dict[str, tuple[str, ...]] = {}
    for node in nodes.values():
        test = node.get("test_metadata") or {}
        if test.get("name") in KEY_TESTS and not node["config"].get("where"):
            arguments = test["kwargs"]
            key = arguments.get("key") or [arguments.get("column_name")]
            if all(key):  # not a test `rules` without a key
                keys.setdefault(node["attached_node"], tuple(key))
    return keys
