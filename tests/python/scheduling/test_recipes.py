"""The recipes name what there is: commands, options, settings, folders; and systemd accepts its units."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import click
import pytest
import yaml

from loader.cli import main
from model_outcomes.base import settings

RECIPES = Path(__file__).resolve().parents[3] / "recipes"


def test_every_call_of_the_loader_names_a_command_with_these_options() -> None:
    callers = set()
    for path in sorted(RECIPES.iterdir()):
        for command, rest in re.findall(r"""loader['"]?,? "?(run|backup)"?([^>|\n]*)""", path.read_text()):
            parameters = main.get_command(click.Context(main), command).params
            known = {name for parameter in parameters for name in parameter.opts}
            assert set(re.findall(r"--[a-z-]+", rest)) <= known, path.name
            callers.add(path.name)
    assert callers == {path.name for path in RECIPES.iterdir()} - {"model-outcomes.timer"}


def test_every_variable_is_a_setting() -> None:
    known = {settings.variable(name) for name in settings.Settings.__struct_fields__} | {"OUTCOMES_CONFIG"}
    named = {each for path in RECIPES.iterdir() for each in re.findall(r"OUTCOMES_[A-Z_]+", path.read_text())}
    assert named
    assert named <= known


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for unit in RECIPES.glob("model-outcomes.*"):
        # It looks for the program and the user; here they are another one and root.
        text = (
            unit.read_text().replace("/srv/model-outcomes/.venv/bin/loader", "/bin/true").replace("=outcomes", "=root")
        )
        (tmp_path / unit.name).write_text(text)
    units = sorted(map(str, tmp_path.iterdir()))
    done = subprocess.run(
        ["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
    )  # fmt: skip
    said = [line for line in done.stderr.splitlines() if "model-outcomes" in line]
    assert (done.returncode, said) == (0, [])
    (tmp_path / "model-outcomes.service").write_text("[Service]\nTypo=oneshot\nExecStart=/no/such/program\n")
    assert subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, check=False).returncode


def test_cron_gets_six_fields_and_no_bare_percent() -> None:
    lines = [line for line in (RECIPES / "crontab").read_text().splitlines() if line and not line.startswith("#")]
    jobs = [line for line in lines if not re.match(r"[A-Z_]+=", line)]
    assert len(jobs) == 2
    for job in jobs:
        assert re.match(r"(\S+ ){4}\S+ +\S", job)
        assert not re.search(r"(?<!\\)%", job), "cron reads % as a new line"


def test_the_workflow_is_yaml_with_these_steps() -> None:
    workflow = yaml.safe_load((RECIPES / "github-actions.yml").read_text())
    steps = workflow["jobs"]["run"]["steps"]
    assert next(step["run"] for step in steps if "run" in step) == "make setup"


def test_no_recipe_retries_what_a_second_run_would_not_tell_again() -> None:
    airflow, dagster, unit = ((RECIPES / name).read_text() for name in (
        "airflow_dag.py", "dagster_job.py", "model-outcomes.service"))  # fmt: skip
    assert re.findall(r'"?retries"?\s*[:=]\s*(\d+)', airflow) == ["0"]
    assert not re.findall(r"retry_policy|RetryPolicy|max_retries", dagster)
    assert "allow_retries=False" in dagster
    assert not re.findall(r"^Restart=", unit, re.MULTILINE)
