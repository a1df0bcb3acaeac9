"""`python -m sample`: write the sample, load it, build, and show which model is best."""

from __future__ import annotations

import os
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import click

from loader.cli import main as loader
from sample import files, world

FOLDER = Path("data/sample")
DATABASE = Path("data/sample.db")
COMMAND = ".venv/bin/loader --db data/sample.db"
WORKSPACE = Path(__file__).parent  # its seeds

NEXT = f"""
Where to look next:
  {COMMAND} stats
  {COMMAND} trends {world.REGRESSED_TASK} --model-id {world.REGRESSED_MODEL}
  {COMMAND} compare {world.TRIAL.incumbent} {world.TRIAL.challenger} --task-type {world.TRIAL.task_type}
  {COMMAND} candidates {world.TRIAL.task_type}
  {COMMAND} stats --json
  {COMMAND} report -o data/report.html
"""


def main() -> int:
    """Run from the project's folder; a second run finds everything there and adds nothing.

    Returns the exit code of the first command that fails.
    """
    yesterday = datetime.now(timezone.utc).date() - timedelta(days=1)
    is_new = files.write(FOLDER, yesterday)
    click.echo(f"The sample's files are in {FOLDER}" + ("." if is_new else ", where they were already."))
    click.echo(f"It goes into {DATABASE}: data/outcomes.db is yours.")
    os.environ["OUTCOMES_WORKSPACE"] = str(WORKSPACE)
    load = ("load", f"{FOLDER / files.AGENTS}", f"{FOLDER / files.EVALUATION}")
    steps = [
        (*load, "--max-rejects", f"{len(files.BAD_LINES)}"),
        ("import-legacy", f"{FOLDER / files.LEGACY}"),
        ("build", "--quiet"),
        *(("rank", task_type) for task_type in world.TASKS),
    ]
    for step in steps:
        workspace = "OUTCOMES_WORKSPACE=sample " if step[0] == "build" else ""
        click.echo(f"\n$ {workspace}{COMMAND} {' '.join(step)}")
        code = _run(*step)
        if code:
            return code
    click.echo(NEXT.rstrip())
    return 0


def _run(*arguments: str) -> int:
    """A command of the loader, in this process: starting Python and dbt anew takes longer."""
    try:
        loader.main(["--db", str(DATABASE), *arguments], prog_name="loader")
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


if __name__ == "__main__":
    sys.exit(main())
