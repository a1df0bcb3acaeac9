"""The library reads descriptions, which columns inherit, and keys from dbt's manifest."""

import json
from pathlib import Path
from typing import Any

from model_outcomes.base import paths
from model_outcomes.warehouse import docs, marts

BLOCKS = {
    f"doc.{package}.{name}": {"package_name": package, "name": name, "block_contents": text}
    for package, name, text in [
        ("model_outcomes", "trials", "Number of trials."),
        ("model_outcomes", "rank", "1 is the best."),
        ("dbt", "extra", "Of another package."),
    ]
}


def node(name: str, **columns: str) -> dict[str, Any]:
    listed = {column: {"name": column, "data_type": None, "description": text} for column, text in columns.items()}
    return {
        "resource_type": "model", "name": name, "alias": name, "package_name": "model_outcomes",
        "fqn": ["model_outcomes", "marts", name], "description": "One row per model.", "columns": listed,
    }  # fmt: skip


def data_test(mart: str, name: str, where: str | None = None, **arguments: Any) -> dict[str, Any]:
    metadata = {"name": name, "kwargs": arguments}
    return {
        "resource_type": "test", "package_name": "model_outcomes", "attached_node": mart,
        "test_metadata": metadata, "config": {"where": where},
    }  # fmt: skip


def read(folder: Path, nodes: dict[str, dict[str, Any]]) -> list[marts.Mart]:
    database = folder / "outcomes.db"
    manifest = paths.build_folder(database) / "target" / "manifest.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(json.dumps({"nodes": nodes, "sources": {}, "docs": BLOCKS}))
    return marts.read(database)


def test_a_column_without_a_description_takes_the_doc_block_of_its_name(tmp_path: Path) -> None:
    (mart,) = read(tmp_path, {"a": node("a", trials="", rank="Rank on that day.", extra="", other="")})
    described = {column.name: column.description for column in mart.columns}
    assert described == {"trials": "Number of trials.", "rank": "Rank on that day.", "extra": "", "other": ""}


def test_the_docs_describe_a_column_that_no_yaml_lists(tmp_path: Path) -> None:
    manifest = {"nodes": {"a": node("a", rank="Rank on that day.")}, "sources": {}, "docs": BLOCKS}
    columns = {name: {"name": name, "type": "bigint"} for name in ("trials", "rank", "other")}
    docs.complete(manifest, {"nodes": {"a": {"columns": columns}}, "sources": {}})
    described = [(name, column["description"]) for name, column in manifest["nodes"]["a"]["columns"].items()]
    assert described == [("trials", "Number of trials."), ("rank", "Rank on that day."), ("other", "")]


def test_the_key_is_that_of_the_first_uniqueness_test_of_all_rows(tmp_path: Path) -> None:
    nodes = {
        **{name: node(name) for name in "abcde"},
        "1": data_test("a", "rules", key=["x", "y"]),
        "2": data_test("b", "rules", not_null=["x"]),
        "3": data_test("b", "unique", column_name="x"),
        "4": data_test("c", "rules", where="x = 1", key=["x"]),
        "5": data_test("c", "rules", key=["x", "z"]),
        "6": data_test("d", "accepted_values", column_name="x"),
    }
    keys = {mart.name: mart.key for mart in read(tmp_path, nodes)}
    assert keys == {"a": ("x", "y"), "b": ("x",), "c": ("x", "z"), "d": (), "e": ()}
