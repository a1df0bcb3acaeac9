"""Every macro is described as it is written."""

import re
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[3] / "macros" / "statistics"
DESCRIBED = {
    macro["name"]: macro
    for path in FOLDER.glob("*/_*__macros.yml")
    for macro in yaml.safe_load(path.read_text())["macros"]
}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/*.sql")), ids=lambda path: path.stem)
def test_a_macro_is_described_with_its_arguments_and_an_example(path):
    written = [
        (name, arguments)
        for name, arguments in re.findall(r"{% macro (\w+)\((.*?)\)", path.read_text())
        if "__" not in name
    ]
    assert [name for name, _ in written] == [path.stem]
    described = DESCRIBED[path.stem]
    signature = [argument.split("=")[0] for argument in re.split(r",\s*", written[0][1]) if argument]
    assert [argument["name"] for argument in described.get("arguments", [])] == signature
    assert re.search(rf"Example: `[^`]*\b{path.stem}\(", described["description"])
    assert all(argument["description"].strip() for argument in described.get("arguments", []))


def test_nothing_is_described_that_is_not_there():
    assert sorted(DESCRIBED) == sorted(path.stem for path in FOLDER.glob("*/*.sql"))
