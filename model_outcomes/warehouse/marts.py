"""The marts as dbt's manifest describes them: their columns with types, their keys, what each means."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from model_outcomes.base import paths
from model_outcomes.base.engines import SQLITE
from model_outcomes.base.errors import BuildError

KEYS = ("unique", "unique_combination")

T = TypeVar("T")


@dataclass(frozen=True)
class Column:
    """`data_type` is the contract's: text, bigint, double, integer; None without a contract."""

    name: str
    data_type: str | None
    description: str

    def typed(self, types: Mapping[str, T], other: T) -> T:
        """Return what `types` has for its type, `other` where it has none."""
        return types.get((self.data_type or "").lower(), other)


@dataclass(frozen=True)
class Mart:
    """A table or view for analysts; `key` are the columns that its test of uniqueness names."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]

    def column(self, name: str) -> Column:
        """Return what is known of a column: of one that nobody described, its name."""
        return next((column for column in self.columns if column.name == name), Column(name, None, ""))


def read(database: Path, target: str = SQLITE) -> list[Mart]:
    """Return the marts of the last build, by name. Raises BuildError if dbt left no manifest."""
    path = paths.build_folder(database, target) / "target" / "manifest.json"
    try:
        nodes = json.loads(path.read_text(encoding="utf-8"))["nodes"]
    except (OSError, ValueError, KeyError):
        raise BuildError(f"dbt left no {path}: nothing can be published") from None
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
    """Columns by dbt model. Of several tests the first counts; one that holds for some rows only is none."""
    keys: dict[str, tuple[str, ...]] = {}
    for node in nodes.values():
        test = node.get("test_metadata") or {}
        if test.get("name") in KEYS and not node["config"].get("where"):
            asked = test["kwargs"]
            keys.setdefault(node["attached_node"], tuple(asked.get("columns") or [asked["column_name"]]))
    return keys
