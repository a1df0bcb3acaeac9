"""The commands doctor and backup."""

from __future__ import annotations

from pathlib import Path

import click

from model_outcomes.base import console, paths
from model_outcomes.base.errors import EXIT_FAILED


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print every finding with its figures, as JSON.")
@click.pass_obj
def doctor(db: Path, as_json: bool) -> None:
    """Check the database and the files beside it.

    Each finding says what to do next. The exit code is 1 if a finding is an error.
    """
    from model_outcomes.care.doctor import examine

    report = examine(db)
    text = report.as_json() if as_json else report.as_text()
    console.write(text)
    if report.status == "error":
        raise click.exceptions.Exit(EXIT_FAILED)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def backup(db: Path, file: Path) -> None:
    """Copy the database to FILE while others write.

    The copy is as of one moment, and replaces an older backup.
    """
    from model_outcomes.care.backup import back_up

    size = back_up(db, file)
    console.say(f"{db} is backed up to {paths.absolute(file)} ({size:,} bytes)")
