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
bag = DagBag("recipes/airflow_dag.py", include_examples=False)
dag = bag.dags["model_outcomes"]
print(json.dumps([dict(bag.import_errors), [task.task_id for task in dag.tasks], dag.max_active_runs, dag.catchup]))
"""
DAGSTER = """
import json, runpy
found = runpy.run_path("recipes/dagster_job.py")
definitions = found["definitions"]
job = definitions.resolve_job_def("model_outcomes")
done = job.execute_in_process(raise_on_error=False)
(schedule,) = definitions.schedules
print(json.dumps([[node.name for node in job.nodes], schedule.cron_schedule, done.success]))
"""


def tell(scheduler: str, script: str, folder: Path) -> list[object]:
    python = ROOT / str(ENVIRONMENTS) / scheduler / "bin" / "python"
    done = subprocess.run(
        [python, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "AIRFLOW_HOME": str(folder), "DAGSTER_HOME": str(folder), "OUTCOMES_PROJECT": str(folder),
             "AIRFLOW__CORE__LOAD_EXAMPLES": "false"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_airflow_imports_a_dag_of_one_task(tmp_path: Path) -> None:
    assert tell("airflow", AIRFLOW, tmp_path) == [{}, ["run"], 1, False]


@pytest.mark.parametrize(("code", "succeeds"), [(0, True), (1, False)])
def test_dagster_runs_a_job_of_one_op_that_fails_with_the_loader(tmp_path: Path, code: int, succeeds: bool) -> None:
    stand_in = tmp_path / ".venv" / "bin" / "loader"
    stand_in.parent.mkdir(parents=True)
    (tmp_path / "data").mkdir()
    stand_in.write_text(f"#!/bin/sh\necho '{{\"faults\": []}}'\nexit {code}\n")
    stand_in.chmod(0o755)
    script = DAGSTER.replace("runpy.run_path(", "runpy.run_path(").replace("max_retries=2", "max_retries=0")
    assert tell("dagster", script, tmp_path) == [["run_loader"], "5 * * * *", succeeds]
