"""The generic test `rules` names each broken rule of a table with its number of rows, on SQLite and DuckDB."""

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

TEST = Path(__file__).parents[3] / "tests" / "generic" / "rules.sql"
RULES = """
      - rules:
          name: {name}
          arguments:
            key: [id, part]
            not_null: [kind]
            accepted_values: {{kind: [a, it's], flag: [0, 1]}}
            conditions:
              a rule's name: amount >= 0
              never broken: id > 0
"""
ROWS: dict[str, list[tuple[object, ...]]] = {
    "whole": [(1, 1, "'a'", 0, 5), (1, 2, "'it''s'", 1, "null")],
    "broken": [
        (1, 1, "'a'", 0, 5),
        (1, 1, "'a'", 0, 5),
        (2, "null", "'z'", 2, -1),
        (3, 1, "null", 1, "null"),
        (3, 1, "'it''s'", 1, -2),
    ],
}
BROKEN = [
    ("a rule's name", 2),  # the amounts -1 and -2, not the null
    ("accepted_values: flag", 1),
    ("accepted_values: kind", 1),  # z, not the null
    ("not_null: kind", 1),
    ("not_null: part", 1),
    ("unique: id, part", 2),  # the keys 1, 1 and 3, 1
]


@pytest.fixture(scope="module", params=["sqlite", "duckdb"])
def tested(request, module_project):
    """By test, its status and the rows that its query returns."""
    project, target = module_project, request.param
    project.put("tests/generic/rules.sql", TEST.read_text())
    tests = {"whole": RULES.format(name="rules_of_whole"), "broken": RULES.format(name="rules_of_broken")}
    tests["broken"] += RULES.format(name="rules_of_a_part") + "          config: {where: id = 3}\n"
    yml = "models:\n"
    for name, rows in ROWS.items():
        columns = ("id", "part", "kind", "flag", "amount")
        selects = ("select " + ", ".join(f"{value} as {column}" for value, column in zip(row, columns, strict=True))
                   for row in rows)  # fmt: skip
        project.write(**{name: "\nunion all\n".join(selects)})
        yml += f"  - name: {name}\n    data_tests:{tests[name]}"
    project.write(rules_yml=yml)
    assert not project.dbt("build", "--target", target)
    engines: dict[str, tuple[Callable[[str], Any], str]] = {
        "sqlite": (sqlite3.connect, "outcomes.db"),
        "duckdb": (duckdb.connect, "outcomes.duckdb"),
    }
    connect, database = engines[target]

    def query(sql):
        connection = connect(str(project.folder / database))
        try:
            return sorted(connection.execute(sql).fetchall())
        finally:
            connection.close()

    results = json.loads((project.folder / "target" / "run_results.json").read_text())["results"]
    return {
        result["unique_id"].split(".")[2]: (result["status"], query(result["compiled_code"]))
        for result in results
        if result["unique_id"].startswith("test.")
    }


def test_a_whole_table_breaks_no_rule(tested):
    assert tested["rules_of_whole"] == ("pass", [])


def test_each_broken_rule_is_named_with_its_number_of_rows(tested):
    assert tested["rules_of_broken"] == ("fail", BROKEN)


def test_the_rules_of_a_part_of_the_rows(tested):
    assert tested["rules_of_a_part"] == (
        "fail",
        [("a rule's name", 1), ("not_null: kind", 1), ("unique: id, part", 1)],
    )
