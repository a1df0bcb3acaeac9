"""Commands of the scheduled job: run it, and show the last runs."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from loader.ask import reading_options
from loader.connections import TARGET, Number, built
from model_outcomes.base import console, paths, settings

FINDINGS = get_args(settings.Finding)


def _path(context: click.Context, parameter: click.Parameter, value: Path | None) -> Path | None:
    return paths.absolute(value) if value else None


def _findings(context: click.Context, parameter: click.Parameter, value: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in value.split(",") if name.strip())
    for name in names:
        if name not in FINDINGS:
            raise click.BadParameter(f"{name!r} is not one of {', '.join(FINDINGS)}")
    return names


@click.command()
@click.option("--inbox", type=click.Path(path_type=Path), callback=_path, envvar="OUTCOMES_INBOX", show_envvar=True,
              metavar="DIR", help="Load new lines from the files in this folder.")  # fmt: skip
@click.option("--legacy-json", type=click.Path(path_type=Path), callback=_path, envvar="OUTCOMES_LEGACY_JSON",
              show_envvar=True, metavar="FILE",
              help="Import the totals of an older tool.  [default: .sf/model-performance.json, if any]")  # fmt: skip
@click.option("--uok", type=click.Path(path_type=Path), callback=_path, envvar="OUTCOMES_UOK", show_envvar=True,
              metavar="FILE", help="Mirror the table llm_task_outcomes of this orchestrator's database.")  # fmt: skip
@click.option("--publish", type=click.Path(path_type=Path), callback=_path, envvar="OUTCOMES_PUBLISH",
              show_envvar=True, metavar="DIR",
              help="Publish the marts to this folder.  [default: published/ beside the database]")  # fmt: skip
@click.option("--no-publish", is_flag=True, help="Do not publish.")
@click.option("--report/--no-report", default=True, envvar="OUTCOMES_REPORT", show_default=True, show_envvar=True,
              help="Also publish the report, if its libraries are installed.")  # fmt: skip
@click.option("--wait", type=Number(0, 86_400), default=0, envvar="OUTCOMES_WAIT", show_envvar=True,
              metavar="SECONDS", help="Wait so long for another run or build to end, then exit 75.")  # fmt: skip
@click.option("--max-rejects", type=click.IntRange(min=0), default=0, envvar="OUTCOMES_MAX_REJECTS",
              show_default=True, show_envvar=True, help="Exit 3 if more lines than this are rejected.")  # fmt: skip
@click.option("--fail-on", default="", callback=_findings, envvar="OUTCOMES_FAIL_ON", show_envvar=True,
              metavar="FINDING,...", help=f"Exit 1 if there are such findings: {', '.join(FINDINGS)}.")  # fmt: skip
@click.option("--keep-runs", type=click.IntRange(min=1), default=100, envvar="OUTCOMES_KEEP_RUNS",
              show_default=True, show_envvar=True, help="Number of runs whose folders are kept.")  # fmt: skip
@click.option("--quiet/--no-quiet", default=False, envvar="OUTCOMES_QUIET", show_default=True, show_envvar=True,
              help="Print only warnings and errors. The folder of the run has dbt's log.")  # fmt: skip
@TARGET
@click.option("--dry-run", is_flag=True, help="Print the plan and change nothing.")
@click.pass_obj
def run(db: Path, inbox: Path | None, legacy_json: Path | None, uok: Path | None, publish: Path | None,
        no_publish: bool, report: bool, wait: float, max_rejects: int, fail_on: tuple[str, ...], keep_runs: int,
        quiet: bool, target: str, dry_run: bool) -> None:  # fmt: skip
    """Load new outcomes, build, test and publish.

    The one command for a scheduler. Prints a summary as JSON. Settings can also be in outcomes.toml.
    """
    from model_outcomes.intake import legacy
    from model_outcomes.job import plan
    from model_outcomes.job.run import Options
    from model_outcomes.job.run import run as run_job

    if legacy_json is None and legacy.DISCOVERED.is_file():
        legacy_json = paths.absolute(legacy.DISCOVERED)
    publish = None if no_publish else publish or paths.published(db)
    options = Options(inbox, legacy_json, uok, publish, wait, max_rejects, keep_runs, fail_on, report, target, quiet)
    if dry_run:
        console.write(plan.plan(db, options).as_json())
        return
    summary = run_job(db, options)
    console.write(summary.as_json())
    raise click.exceptions.Exit(summary.exit_code)


@click.command()
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True, help="Number of runs.")
@reading_options
@click.pass_obj
def runs(db: Path, limit: int, output: str | None) -> None:
    """Show the last runs, the newest first."""
    from model_outcomes.answers import terminal
    from model_outcomes.job import history

    with built(db) as connection:
        answer = history.runs(connection, limit)
    console.write(terminal.shown(answer, terminal.RUNS, output))
