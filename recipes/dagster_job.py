"""A Dagster job with one op, hourly. An asset per dbt model would not suit SQLite, which has one writer at a
time, and would publish tables whose tests have not run yet.

OUTCOMES_PROJECT names the checkout, and outcomes.toml in its data/ the rest.
"""

# No `from __future__ import annotations`: Dagster reads the annotations of an op.
import json
import os
import subprocess

import dagster

PROJECT = os.environ.get("OUTCOMES_PROJECT", "/srv/model-outcomes")


# No retry: a run names a refused line (exit 3) or a file that cannot be read (exit 2) once, and a second run would
# turn the job green. The next hour's run is the retry.
@dagster.op
def run_loader(context: dagster.OpExecutionContext) -> None:
    """One run of the loader; its warnings go to Dagster's stderr, its summary into the run's metadata."""
    done = subprocess.run(
        [f"{PROJECT}/.venv/bin/loader", "run", "--quiet", "--wait", "600"],
        cwd=f"{PROJECT}/data",
        env={**os.environ, "OUTCOMES_CONFIG": f"{PROJECT}/data/outcomes.toml"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    summary = json.loads(done.stdout or "{}")
    context.add_output_metadata({"exit_code": done.returncode, "summary": dagster.MetadataValue.json(summary)})
    if done.returncode:
        raise dagster.Failure(
            f"loader run: exit {done.returncode}: {'; '.join(summary.get('faults', []))}", allow_retries=False
        )


@dagster.job
def model_outcomes() -> None:
    run_loader()


hourly = dagster.ScheduleDefinition(job=model_outcomes, cron_schedule="5 * * * *")
definitions = dagster.Definitions(jobs=[model_outcomes], schedules=[hourly])
