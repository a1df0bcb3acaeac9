"""The docs page: every column of every table and view typed and described, as it really is."""

import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.base.errors import NotBuiltError
from model_outcomes.warehouse import docs

from .conftest import PROJECT, Site

# What values each type may have in SQLite; a double that is whole may be stored as an integer.
VALUES = {"TEXT": {"text"}, "INTEGER": {"integer"}, "REAL": {"real", "integer"}}


@pytest.fixture(scope="module")
def page(site: Site) -> str:
    site.loader("docs", "--output", "docs.html")
    return (site.folder / "docs.html").read_text()


@pytest.fixture(scope="module")
def artifacts(page: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Manifest and catalog, as they stand in the page."""
    decoder = json.JSONDecoder()
    found = re.search(r"\{manifest:(?=\{)", page)
    assert found
    manifest, end = decoder.raw_decode(page, found.end())
    catalog, _ = decoder.raw_decode(page, page.index("{", end))
    return manifest, catalog


def test_every_column_is_typed_and_described(artifacts: tuple[dict[str, Any], dict[str, Any]]) -> None:
    manifest, catalog = artifacts
    described = {**manifest["sources"], **manifest["nodes"]}
    entries = {**catalog["sources"], **catalog["nodes"]}
    tables = [key for key, node in described.items() if node["resource_type"] in ("model", "seed", "source")]
    assert sorted(entries) == sorted(tables)
    assert len(tables) > 70
    columns = 0
    for key, entry in entries.items():
        node = described[key]
        assert node["description"].strip(), key
        assert list(node["columns"]) == [name for name in node["columns"] if name in entry["columns"]], key
        for name, column in entry["columns"].items():
            columns += 1
            assert column["type"] in VALUES, f"{key}.{name} is {column['type']}"
            assert node["columns"][name]["data_type"], f"{key}.{name}"
            assert node["columns"][name]["description"].strip(), f"{key}.{name} means nothing"
    assert columns > 1000


def test_the_types_are_those_of_the_values(site: Site, artifacts: tuple[dict[str, Any], dict[str, Any]]) -> None:
    wrong, seen = [], 0
    with closing(sqlite3.connect(site.database)) as connection:
        for entry in [*artifacts[1]["sources"].values(), *artifacts[1]["nodes"].values()]:
            names = list(entry["columns"])
            picked = ", ".join(f'group_concat(distinct typeof("{name}"))' for name in names)
            table = entry["metadata"]["name"]
            for name, found in zip(names, connection.execute(f"select {picked} from {table}").fetchone(), strict=True):
                values = set((found or "null").split(",")) - {"null"}
                seen += bool(values)
                if not values <= VALUES[entry["columns"][name]["type"]]:
                    wrong.append((table, name, entry["columns"][name]["type"], values))
    assert wrong == []
    assert seen > 500


def test_a_name_has_one_type_wherever_it_stands(artifacts: tuple[dict[str, Any], dict[str, Any]]) -> None:
    types: dict[str, set[str]] = {}
    for entry in [*artifacts[1]["sources"].values(), *artifacts[1]["nodes"].values()]:
        for name, column in entry["columns"].items():
            types.setdefault(name, set()).add(column["type"])
    assert {name: found for name, found in types.items() if len(found) > 1} == {}


def test_the_glossary_is_that_of_the_concepts(artifacts: tuple[dict[str, Any], dict[str, Any]]) -> None:
    words = (PROJECT / "docs" / "concepts.md").read_text().partition("## Words\n\n")[2].partition("\n\n## ")[0]
    overview = artifacts[0]["docs"]["doc.model_outcomes.__overview__"]["block_contents"]
    assert words.count("\n") > 8
    assert words in overview


def test_who_reads_the_marts_is_told(site: Site, artifacts: tuple[dict[str, Any], dict[str, Any]]) -> None:
    exposures = {each["name"]: each for each in artifacts[0]["exposures"].values()}
    assert set(exposures) == {"report", "explorer", "exports", "federated_exports"}
    marts = {
        key
        for key, node in artifacts[0]["nodes"].items()
        if node["resource_type"] == "model" and "marts" in node["fqn"]
    }
    assert set(exposures["explorer"]["depends_on"]["nodes"]) == marts
    assert set(exposures["exports"]["depends_on"]["nodes"]) == marts
    assert set(exposures["report"]["depends_on"]["nodes"]) < marts
    assert all(each["description"].strip() for each in exposures.values())


def test_the_page_is_one_file_and_does_not_say_where_it_was_made(site: Site, page: str) -> None:
    assert "INLINE DATA" not in page
    assert re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=[\"']?https?:", page) == []
    for place in (str(site.folder), str(PROJECT)):
        assert place not in page


def test_a_description_cannot_end_the_script() -> None:
    site = 'x={manifest:"MANIFEST.JSON INLINE DATA",catalog:"CATALOG.JSON INLINE DATA"}'
    said = docs.page(site, {"a": "</script><b>"}, {}, [])
    assert "<" not in said
    assert json.loads(said[len("x={manifest:") : said.index(",catalog")]) == {"a": "</script><b>"}


def test_a_database_that_was_not_built_says_what_to_do(tmp_path: Path) -> None:
    node = {"name": "model_stats", "resource_type": "model", "columns": {}}
    with pytest.raises(NotBuiltError, match="no model_stats yet: run `loader build`"):
        docs.complete({"sources": {}, "nodes": {"a": node}}, {"sources": {}, "nodes": {}})


def test_a_page_that_cannot_be_written_is_said_in_one_line(site: Site) -> None:
    said = site.loader("docs", "--output", "nowhere/docs.html", exits=2).stderr
    assert said == f"Error: cannot write {site.folder}/nowhere/docs.html: the folder does not exist\n"
