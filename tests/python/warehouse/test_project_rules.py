"""The rules of the dbt project, checked on dbt's manifest of a build: each rule returns the names that break it.

An exception needs a reason here, and fails when it is no longer needed.
"""

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

Node = dict[str, Any]
Rule = Callable[["Project"], set[str]]

LAYERS = {"staging": "stg_", "intermediate": "int_", "marts": ""}
TABLES = ("table", "incremental", "additive")


class Project:
    """The dbt project: its dbt models with the nodes that they read, and the tests of each."""

    def __init__(self, manifest: Node) -> None:
        self.manifest = manifest
        self.models = [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]
        self.seeds = [node for node in manifest["nodes"].values() if node["resource_type"] == "seed"]
        self.data_tests: dict[str, list[Node]] = {}
        self.unit_tests: dict[str, list[Node]] = {}
        for test in manifest["nodes"].values():
            if test["resource_type"] == "test":
                for name in [test["attached_node"]] if test["attached_node"] else test["depends_on"]["nodes"]:
                    self.data_tests.setdefault(name, []).append(test)
        for test in manifest["unit_tests"].values():
            self.unit_tests.setdefault(test["depends_on"]["nodes"][0], []).append(test)

    def of(self, *layers: str) -> list[Node]:
        """Return the dbt models in the folders of these layers."""
        return [node for node in self.models if layer(node) in layers]

    def read_by(self, node: Node) -> list[str]:
        """Return what a dbt model reads, each as a layer, "source" or "seed"."""
        nodes = self.manifest["nodes"]
        return [
            layer(nodes[name]) if name.startswith("model.") else name.partition(".")[0]
            for name in node["depends_on"]["nodes"]
        ]

    def tested_key(self, node: Node) -> list[str]:
        """Return the columns whose uniqueness a data test of all rows checks."""
        for test in self.data_tests.get(node["unique_id"], []):
            arguments = test["test_metadata"]["kwargs"]
            unique = {"rules": "key", "unique": "column_name"}
            key = arguments.get(unique.get(test["test_metadata"]["name"], ""))
            if key and not test["config"].get("where"):
                return [key] if isinstance(key, str) else list(key)
        return []


def layer(node: Node) -> str:
    return str(node["path"].partition("/")[0])


def primary_key(node: Node) -> list[str]:
    """Return the primary key of the contract, which the table enforces."""
    if not node["config"]["contract"]["enforced"]:
        return []
    if node["config"]["materialized"] == "additive":
        return list(node["config"]["unique_key"])
    keys = [each["columns"] for each in node["constraints"] if each["type"] == "primary_key"]
    columns = [
        name
        for name, column in node["columns"].items()
        for each in column["constraints"]
        if each["type"] == "primary_key"
    ]
    return keys[0] if keys else columns


def every_mart_tests_its_key(project: Project) -> set[str]:
    return {node["name"] for node in project.of("marts") if not project.tested_key(node)}


def every_table_has_a_tested_or_enforced_key(project: Project) -> set[str]:
    tables = [node for node in project.models if node["config"]["materialized"] in TABLES]
    keyless = [node for node in tables if not primary_key(node)]
    return {node["name"] for node in [*keyless, *project.seeds] if not project.tested_key(node)}


def one_data_test_reads_a_table(project: Project) -> set[str]:
    """The test `rules` checks all rules of a table in one query."""
    nodes = [*project.models, *project.seeds]
    return {node["name"] for node in nodes if len(project.data_tests.get(node["unique_id"], [])) > 1}


def every_dbt_model_has_a_data_test_or_a_unit_test(project: Project) -> set[str]:
    tested = project.data_tests.keys() | project.unit_tests.keys()
    return {node["name"] for node in project.models if node["unique_id"] not in tested}


def every_mart_has_a_contract_and_tables_a_primary_key(project: Project) -> set[str]:
    return {
        node["name"]
        for node in project.of("marts")
        if not node["config"]["contract"]["enforced"]
        or (node["config"]["materialized"] in TABLES and not primary_key(node))
    }


def marts_are_public_and_the_others_protected(project: Project) -> set[str]:
    """Not private: dbt models of a user's workspace belong to no group, and may read all of these."""
    return {
        node["name"]
        for node in project.models
        if node["access"] != ("public" if layer(node) == "marts" else "protected")
    }


def every_dbt_model_has_a_group_with_an_owner(project: Project) -> set[str]:
    owned = {group["name"] for group in project.manifest["groups"].values() if group["owner"]["name"]}
    return {node["name"] for node in project.models if node["group"] not in owned}


def marts_read_no_source_and_no_staging(project: Project) -> set[str]:
    return {node["name"] for node in project.of("marts") if {"source", "staging"} & set(project.read_by(node))}


def intermediate_reads_no_mart(project: Project) -> set[str]:
    return {node["name"] for node in project.of("intermediate") if "marts" in project.read_by(node)}


def intermediate_reads_no_source(project: Project) -> set[str]:
    return {node["name"] for node in project.of("intermediate") if "source" in project.read_by(node)}


def staging_reads_its_own_source_alone(project: Project) -> set[str]:
    """The dbt model stg_x reads the source table or the seed x, and nothing else."""
    return {
        node["name"]
        for node in project.of("staging")
        if project.read_by(node) not in (["source"], ["seed"])
        or node["depends_on"]["nodes"][0].rpartition(".")[2] != node["name"].removeprefix("stg_")
    }


def names_follow_folders(project: Project) -> set[str]:
    names = {node["name"]: LAYERS.get(layer(node)) for node in project.models}
    others = tuple(prefix for prefix in LAYERS.values() if prefix)
    return {
        name
        for name, prefix in names.items()
        if prefix is None or not name.startswith(prefix) or (not prefix and name.startswith(others))
    }


def descriptions_of_dbt_models_begin_with_the_grain(project: Project) -> set[str]:
    relations = [*project.models, *project.manifest["sources"].values()]
    return {node["name"] for node in relations if not re.match(r"One row\b", node["description"])}


def postgres_takes_the_names_of_unit_tests(project: Project) -> set[str]:
    """dbt gives each unit test a relation of its name, and PostgreSQL's names have at most 63 bytes."""
    return {test["name"] for test in project.manifest["unit_tests"].values() if len(test["name"].encode()) > 63}


# The names that may break a rule, each with the reason.
EXCEPTIONS: dict[Rule, dict[str, str]] = {
    every_mart_tests_its_key: {},
    every_table_has_a_tested_or_enforced_key: {},
    one_data_test_reads_a_table: {},
    every_dbt_model_has_a_data_test_or_a_unit_test: {},
    every_mart_has_a_contract_and_tables_a_primary_key: {},
    marts_are_public_and_the_others_protected: {},
    every_dbt_model_has_a_group_with_an_owner: {},
    marts_read_no_source_and_no_staging: {},
    intermediate_reads_no_mart: {},
    intermediate_reads_no_source: {},
    staging_reads_its_own_source_alone: {},
    names_follow_folders: {},
    descriptions_of_dbt_models_begin_with_the_grain: {},
    postgres_takes_the_names_of_unit_tests: {},
}


@pytest.fixture(scope="module")
def project(built_empty: Path) -> Project:
    return Project(json.loads((built_empty.with_name("outcomes.db.build") / "target" / "manifest.json").read_text()))


@pytest.mark.parametrize("rule", EXCEPTIONS, ids=lambda rule: rule.__name__)
def test_the_project_keeps_the_rule(project: Project, rule: Rule) -> None:
    broken, excepted = rule(project), set(EXCEPTIONS[rule])
    assert sorted(broken - excepted) == []
    assert sorted(excepted - broken) == [], "these exceptions are no longer needed"


def test_the_tests_are_counted(project: Project, record_property: Callable[[str, object], None]) -> None:
    """The end of the test run prints the counts."""
    with_data, with_unit = (
        {node["name"] for node in project.models if node["unique_id"] in tests}
        for tests in (project.data_tests, project.unit_tests)
    )
    untested = len(project.models) - len(with_data | with_unit)
    data_tests, unit_tests = (
        sum(len(tests.get(node["unique_id"], [])) for node in project.models)
        for tests in (project.data_tests, project.unit_tests)
    )
    assert len(project.models) > 50
    record_property(
        "summary",
        f"{len(project.models)} dbt models: {len(with_data)} have data tests ({data_tests}),"
        f" {len(with_unit)} have unit tests ({unit_tests}), {untested} have neither",
    )


def test_every_column_is_described_and_every_listed_column_is_built(project: Project, built_empty: Path) -> None:
    """A column has a description of its own or a doc block of its name."""
    blocks = {block["name"] for block in project.manifest["docs"].values() if block["block_contents"].strip()}
    sources = list(project.manifest["sources"].values())
    assert len(sources) > 5
    assert len(project.seeds) > 3
    with closing(sqlite3.connect(built_empty)) as connection:
        for node in [*project.models, *sources, *project.seeds]:
            built = [row[1] for row in connection.execute(f"pragma table_info({node['name']})")]
            assert [name for name in built if name in node["columns"]] == list(node["columns"]), node["name"]
            described = {name for name, column in node["columns"].items() if column["description"].strip()}
            assert [name for name in built if name not in described | blocks] == [], node["name"]


def test_every_doc_block_describes_something(project: Project, built_empty: Path) -> None:
    with closing(sqlite3.connect(built_empty)) as connection:
        columns = "select columns.name from pragma_table_list as tables join pragma_table_info(tables.name) as columns"
        described = {name for (name,) in connection.execute(columns)}
    nodes = [*project.manifest["nodes"].values(), *project.manifest["sources"].values()]
    for node in nodes:
        for each in [node, *node.get("columns", {}).values()]:
            described.update(name.rpartition(".")[2] for name in each.get("doc_blocks", []))
    blocks = {block["name"] for block in project.manifest["docs"].values() if block["package_name"] == "model_outcomes"}
    assert sorted(blocks - described - {"__overview__"}) == []
