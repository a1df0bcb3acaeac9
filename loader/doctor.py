"""Commands that look after the database: what is off with it, and a copy of it."""

from __future__ import annotations

from pathlib import Path

import click

from model_outcomes.base import console, paths
from model_outcomes.base.errors import EXIT_FAILED


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Every finding with its figures, for programs.")
@click.pass_obj
def doctor(db: Path, as_json: bool) -> None:
    """Say what is off with the database and what lies beside it, and what to do next.

    Exit 1 if something keeps it from working.
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
    """Copy the database to FILE, as of one moment, while others write.

    An older backup is replaced.
    """
    from model_outcomes.care.backup import back_up

    size = back_up(db, file)
    console.say(f"{db} is backed up in {paths.absolute(file)} ({size:,} bytes)")
