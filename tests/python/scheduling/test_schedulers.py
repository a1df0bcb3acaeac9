"""Airflow and Dagster import their recipes, in environments of their own (`make test-recipes`), and see one task."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
ENVIRONMENTS = os.environ.get("OUTCOMES_SCHEDULERS")

pytestmark = pytest.mark.skipif(
    not ENVIRONMENTS,
    reason="OUTCOMES_SCHEDULERS names no folder of Airflow's and Dagster's environments: make test-recipes",
)

AIRFLOW = """
import json
from airflow.dag_processing.dagbag import DagBag
bag = DagBag("recipes/airflow_dag.py")
dag = bag.dags["model_outcomes"]
print(json.dumps([dict(bag.import_errors), [task.task_id for task in dag.tasks], dag.max_active_runs, dag.catchup]))
"""
DAGSTER = """
import json, runpy, dagster
found = runpy.run_path("recipes/dagster_job.py")
job = found["definitions"].resolve_job_def("model_outcomes")
try:
    found["run_loader"](dagster.build_op_context())
    said = "done"
except dagster.Failure as fault:
    said = fault.description
print(json.dumps([[node.name for node in job.nodes], found["hourly"].cron_schedule, said]))
"""


def tell(scheduler: str, script: str, folder: Path) -> list[object]:
    python = ROOT / str(ENVIRONMENTS) / scheduler / "bin" / "python"
    done = subprocess.run(
        [python, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "AIRFLOW_HOME": str(folder), "DAGSTER_HOME": str(folder), "OUTCOMES_PROJECT": str(folder),
             "AIRFLOW__CORE__LOAD_EXAMPLES": "false"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_airflow_imports_a_dag_of_one_task(tmp_path: Path) -> None:
    assert tell("airflow", AIRFLOW, tmp_path) == [{}, ["run"], 1, False]


@pytest.mark.parametrize(("code", "said"), [(0, "done"), (1, "loader run: exit 1: no luck")])
def test_dagster_has_a_job_of_one_op_that_fails_with_the_loader(tmp_path: Path, code: int, said: str) -> None:
    stand_in = tmp_path / ".venv" / "bin" / "loader"
    stand_in.parent.mkdir(parents=True)
    (tmp_path / "data").mkdir()
    stand_in.write_text(f'#!/bin/sh\necho \'{{"faults": ["no luck"]}}\'\nexit {code}\n')
    stand_in.chmod(0o755)
    assert tell("dagster", DAGSTER, tmp_path) == [["run_loader"], "5 * * * *", said]
