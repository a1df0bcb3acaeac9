"""An Airflow DAG with one task. A task per dbt model would not suit SQLite, which has one writer at a time,
and would publish tables whose tests have not run yet.

OUTCOMES_PROJECT names the checkout, and outcomes.toml in its data/ the rest.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROJECT = os.environ.get("OUTCOMES_PROJECT", "/srv/model-outcomes")

with DAG(
    dag_id="model_outcomes",
    description="Take in, build, test and publish model outcomes",
    schedule="5 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=timezone.utc),
    catchup=False,  # a run takes in all that waits: an hour that was missed needs none of its own
    max_active_runs=1,
    # No retry: a run names a refused line (exit 3) or a file that cannot be read (exit 2) once, and a second run would
    # turn the task green. The next hour's run is the retry.
    default_args={"retries": 0},
) as dag:
    # Exit 75, somebody else is at it, skips; any other but 0 fails. Stopping the task sends SIGTERM.
    BashOperator(
        task_id="run",
        bash_command=f"exec '{PROJECT}/.venv/bin/loader' run --quiet --wait 600",
        env={"OUTCOMES_CONFIG": f"{PROJECT}/data/outcomes.toml"},
        append_env=True,
        cwd=f"{PROJECT}/data",
        skip_on_exit_code=75,
        execution_timeout=timedelta(minutes=50),
    )
