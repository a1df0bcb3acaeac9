"""The rooms of the library: imports go from a room to those before it in ROOMS, and never in a circle."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ["base", "log", "intake", "warehouse", "answers", "publish", "care", "federation", "job", "api"]


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path): path for folder in ("model_outcomes", "loader") for path in (ROOT / folder).rglob("*.py")}


def imports(module: str) -> Iterator[str]:
    """Yield the modules of the project that a module imports, at its head or in a function."""
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports by a relative path"
            for alias in node.names:
                member = f"{node.module}.{alias.name}"
                yield member if member in MODULES else str(node.module)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


GRAPH = {module: {other for other in imports(module) if other in MODULES} - {module} for module in MODULES}


def room(module: str) -> int:
    """Return the place of a module in the list; the package itself sees all, and the command line comes last."""
    parts = module.split(".")
    if parts[0] == "loader" or len(parts) == 1:
        return len(ROOMS)
    return ROOMS.index(parts[1])


def test_imports_go_down_the_list_of_rooms() -> None:
    upward = [(module, other) for module, others in GRAPH.items() for other in others if room(other) > room(module)]
    assert upward == []
    assert any(room(other) < room(module) for module, others in GRAPH.items() for other in others)


def test_no_import_goes_in_a_circle() -> None:
    # A package imports its own modules: that is no circle as long as none of them imports it back.
    order = list(TopologicalSorter(GRAPH).static_order())
    assert order.index("model_outcomes.base.errors") < order.index("loader.cli")


@pytest.mark.parametrize("name", ["loader", "log", "base", "answers"])
def test_a_program_may_have_modules_of_these_names(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}.py").write_text("OWN = True\n")
    (tmp_path / "program.py").write_text(
        f"import {name}\nfrom model_outcomes import InvalidOutcome, ModelOutcomes\n"
        "with ModelOutcomes('log.db') as outcomes:\n    outcomes.record('code', 'able', True)\n"
        f"    print({name}.OWN, len(outcomes.ranked_models('code', min_samples=1)))\n"
    )
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("OUTCOMES_")}
    done = subprocess.run(
        [sys.executable, "program.py"], cwd=tmp_path, env={**inherited, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["True", "0"], done.stderr
