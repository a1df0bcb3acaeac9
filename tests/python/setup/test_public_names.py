"""`from model_outcomes import ...`: the names that the docs promise are there, also for a type checker."""

import ast
import re
from pathlib import Path

import pytest

import model_outcomes

ROOT = Path(__file__).resolve().parents[3]
PROMISED = {
    "ModelOutcomes", "RankedModel", "Demotion", "ABTestCandidate",
    "OutcomesError", "InvalidOutcome", "BusyError", "NotKeptError",
}  # fmt: skip
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


def imported(source: str, module: str) -> set[str]:
    nodes = ast.walk(ast.parse(source))
    return {name.name for node in nodes if isinstance(node, ast.ImportFrom) and node.module == module
            for name in node.names}  # fmt: skip


def test_the_package_exports_the_promised_names_and_no_others() -> None:
    assert set(model_outcomes.__all__) == PROMISED
    assert set(dir(model_outcomes)) == PROMISED
    assert {getattr(model_outcomes, name).__name__ for name in PROMISED} == PROMISED
    with pytest.raises(AttributeError, match="no attribute 'Outcomes'"):
        _ = model_outcomes.Outcomes


def test_a_type_checker_sees_the_same_names() -> None:
    source = Path(model_outcomes.__file__).read_text()
    assert imported(source, "model_outcomes.api") == PROMISED
    assert (Path(model_outcomes.__file__).parent / "py.typed").is_file()


def test_readme_and_docs_import_nothing_else() -> None:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    blocks = [block for page in pages for block in BLOCK.findall(page.read_text())]
    modules = set.union(*({node.module or "" for node in ast.walk(ast.parse(block)) if isinstance(node, ast.ImportFrom)}
                          for block in blocks))  # fmt: skip
    assert not {module for module in modules if module.startswith(("loader", "model_outcomes."))}
    names = set.union(*(imported(block, "model_outcomes") for block in blocks))
    assert "ModelOutcomes" in names
    assert names <= PROMISED
