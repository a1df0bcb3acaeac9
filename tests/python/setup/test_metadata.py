"""The version, the licence, the workflow and the commit hooks agree with the project."""

import os
import re
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[3]
PROJECT = (ROOT / "pyproject.toml").read_text()
VERSION = re.search(r'^version = "(.+)"$', PROJECT, re.M)[1]


def test_the_changelog_begins_with_the_dated_version_of_the_package_and_of_the_dbt_project():
    heading = re.search(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.M)[1]
    assert re.fullmatch(rf"{re.escape(VERSION)} - \d{{4}}-\d\d-\d\d", heading)
    assert yaml.safe_load((ROOT / "dbt_project.yml").read_text())["version"] == VERSION


def test_the_licence_is_the_text_that_the_metadata_names():
    assert 'license = "Apache-2.0"' in PROJECT
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License\n                           Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_the_workflow_runs_the_script_on_the_oldest_and_the_newest_python():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    job = workflow["jobs"]["check"]
    supported = re.findall(r"Programming Language :: Python :: (3\.\d+)", PROJECT)
    assert job["strategy"]["matrix"]["python"] == [supported[0], supported[-1]] == ["3.10", "3.13"]
    assert job["steps"][-1]["run"] == ".ci/run"
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_the_commit_hooks_call_the_linters_that_make_lint_calls():
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    lint = (ROOT / "Makefile").read_text().partition("\nlint:")[2].partition("\n\n")[0]
    commands = [hook["entry"].replace(" --force-exclude", "") for hook in hooks]
    assert commands == [".venv/bin/ruff check", ".venv/bin/ruff format --check", ".venv/bin/sqlfluff lint"]
    assert all(command in lint for command in commands)
