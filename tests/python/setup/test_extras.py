"""What is not installed is told of by its extra, never by a name that anybody could register in a package index."""

import re
from pathlib import Path

import pytest

from model_outcomes.base.errors import NotInstalledError

ROOT = Path(__file__).resolve().parents[3]
WRITTEN = [ROOT / "README.md", ROOT / "Makefile", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md"),
           *ROOT.glob("recipes/**/*.*"), *ROOT.glob("loader/*.py"),
           *ROOT.glob("model_outcomes/**/*.py"), *ROOT.glob("sample/*.py"), *ROOT.glob("benchmarks/*.py")]  # fmt: skip
FROM_AN_INDEX = re.compile(
    r"pip3? install\s+(?:-\S+\s+)*['\"]?model[-_]outcomes|uv (?:add|pip install).*model[-_]outcomes"
)


def test_nothing_advises_to_install_this_project_from_an_index() -> None:
    assert len(WRITTEN) > 100
    assert [str(path) for path in WRITTEN if FROM_AN_INDEX.search(path.read_text(encoding="utf-8"))] == []


@pytest.mark.parametrize("extra", re.findall(r"^(\w+) = \[", (ROOT / "pyproject.toml").read_text().partition(
    "[project.optional-dependencies]")[2].partition("[project.scripts]")[0], re.M))  # fmt: skip
def test_a_message_names_a_command_of_the_makefile_that_brings_the_extra(extra: str) -> None:
    message = str(NotInstalledError("something", extra))
    assert message.startswith("something is not installed: run `make setup")
    assert message.endswith(f" in the checkout, or install the wheel with its extra `{extra}`")
    command = message.split("`")[1]
    if command == "make setup":
        assert f"--extra {extra} " in (ROOT / "Makefile").read_text().partition("requirements/setup.txt")[2][:80]
    else:
        assert command == f"make setup EXTRAS={extra}"
        assert (ROOT / "requirements" / f"{extra}.txt").is_file()
