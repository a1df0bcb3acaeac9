"""A column of the log has one definition, the struct `Outcome`. Every other list of the columns agrees with it."""

import inspect
import re
import sqlite3
from pathlib import Path

import click
import pytest
import yaml

from loader import record
from model_outcomes import ModelOutcomes
from model_outcomes.log.outcome import FIELDS

PROJECT = Path(__file__).parents[3]
STAGING = PROJECT / "models" / "staging"


def python() -> set[str]:
    return {*inspect.signature(ModelOutcomes.record).parameters} - {"self"}


def documented_in_python() -> set[str]:
    signature = {"task_type", "model_id"}  # the docstring explains the others
    return signature | {*re.findall(r"^ +`(\w+)`(?:[^:]*`(\w+)`)?", inspect.getdoc(ModelOutcomes.record) or "", re.M)}


def options() -> set[str]:
    names = {parameter.name for parameter in record.record.params if isinstance(parameter, click.Option)}
    return {name for name in names if name} - {"durability"}


def source() -> set[str]:
    (sources,) = yaml.safe_load((STAGING / "_staging__sources.yml").read_text())["sources"]
    (table,) = (table for table in sources["tables"] if table["name"] == "model_outcomes")
    return {column["name"] for column in table["columns"]} - {"id"}


def staging() -> set[str]:
    return {*re.findall(r"\w+", (STAGING / "stg_model_outcomes.sql").read_text())} & {*FIELDS}


def page() -> set[str]:
    text = (PROJECT / "docs" / "reference" / "schema.md").read_text()
    table = text[text.index("| `id`") :].partition("\n\n")[0]
    rows = [line.split("|")[1] for line in table.splitlines()]
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)} - {"id"}


@pytest.mark.parametrize("place", [python, options, source, staging, page], ids=lambda place: place.__name__)
def test_each_list_of_the_columns_has_all_of_them(place) -> None:
    assert place() == {*FIELDS}


def test_the_table_has_them_in_their_order(log: sqlite3.Connection) -> None:
    columns = [name for (name,) in log.execute("select name from pragma_table_info('model_outcomes')")]
    assert columns == ["id", *FIELDS]
