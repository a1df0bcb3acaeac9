"""The Makefile tells what it offers, and refuses a Python it does not know in one line."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[3]
MAKEFILE = (ROOT / "Makefile").read_text()


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run make as from a shell, not as from the make that may run these tests."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("MAKE")}
    command = ["make", "--directory", str(ROOT), "--no-print-directory", *arguments]
    return subprocess.run(command, env=inherited, capture_output=True, text=True, check=False)


def test_make_alone_lists_every_target():
    (targets,) = [listed.split() for listed in re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.M)]
    listed = re.findall(r"^  make (\S+) +\S", make().stdout, re.M)
    assert listed == targets == re.findall(r"^([a-z-]+):", MAKEFILE, re.M)


def test_another_version_of_python_is_refused_in_one_line(tmp_path):
    other = tmp_path / "python3.9"
    other.write_text("#!/bin/sh\nexit 1\n")  # as the check does on Python 3.9
    other.chmod(0o755)
    said = make("setup", f"PYTHON={other}").stderr.splitlines()
    assert "is not Python 3.10 to 3.13" in said[0]
    assert len(said) == 2  # the second one is make's own


def test_make_and_the_project_ask_for_the_same_versions_of_python():
    first, beyond = re.search(r"\((3, \d+)\) <= \S+ < \((3, \d+)\)", MAKEFILE).groups()
    project = (ROOT / "pyproject.toml").read_text()
    required = f">={first.replace(', ', '.')},<{beyond.replace(', ', '.')}"
    assert f'requires-python = "{required}"' in project


def test_continuous_integration_runs_the_targets_that_people_run():
    script = ROOT / ".ci/run"
    assert os.access(script, os.X_OK)
    assert script.read_text().splitlines()[-1] == "make lint test"
