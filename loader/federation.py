"""Commands by which projects exchange statistics; docs/federation.md is their page."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from loader.ask import reading_options
from loader.connections import Number, built, existing_log, log
from model_outcomes.base import clock, console, dbt_vars, paths
from model_outcomes.base.errors import OutcomesError


@click.command("export-federated")
@click.option("-o", "--output", required=True, metavar="FILE", help="Where to; packed if it ends in .gz; - is stdout.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY",
              help="Last day of the window.  [default: the end of the last whole month]")  # fmt: skip
@click.option("--min-outcomes", type=click.IntRange(min=dbt_vars.LEAST_EXPORTED),
              help="Hold back cells with fewer outcomes since their last export."
              "  [default: the build's min_exported_outcomes, 10]")  # fmt: skip
@click.option("--epsilon", type=Number(min=0.0001, max=100),
              help="Export noisy counts only, each outcome hidden up to this privacy loss; needs --cells.")  # fmt: skip
@click.option("--cells", type=click.Path(path_type=Path), metavar="FILE",
              help="The cells of a noisy export: CSV with task_type and model_id.")  # fmt: skip
@click.option("--rename-map", type=click.Path(path_type=Path), metavar="FILE",
              help="Names to use outside, as JSON; they are remembered.")  # fmt: skip
@click.option("--licence", default="CC0-1.0", show_default=True, help="The terms that the figures leave under.")
@click.option("--all", "everything", is_flag=True, help="Write all current exports, not just the new ones.")
@click.pass_obj
def export_federated(db: Path, /, output: str, until: datetime | None, min_outcomes: int | None,
                     epsilon: float | None, cells: Path | None, rename_map: Path | None, everything: bool,
                     **terms: Any) -> None:  # fmt: skip
    """Export sums per task type and model, for other projects."""
    from model_outcomes.answers import build_settings
    from model_outcomes.base import locks, paths
    from model_outcomes.federation import files, names, selection
    from model_outcomes.federation.exports import Terms, export, report

    place = files.check(output, db)
    named = selection.cells(epsilon, cells)
    with existing_log(db) as connection, locks.exclusive(paths.federation_lock(db), "an export"):
        least = min_outcomes or max(build_settings.read(connection).min_exported_outcomes, dbt_vars.LEAST_EXPORTED)
        chosen = Terms(until and until.date(), least, epsilon=epsilon, cells=named, **terms)
        if rename_map:
            names.rename(connection, selection.rename_map(rename_map))
        made = export(connection, place, chosen, everything=everything)
    for line in report(made, output, chosen):
        console.say(line, err=output == "-")


@click.command("import-federated")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.pass_obj
def import_federated(db: Path, files: tuple[str, ...]) -> None:
    """Take in exports of other projects; a file with a fault is rejected whole."""
    from model_outcomes.federation import files as reading
    from model_outcomes.federation import imports

    faults = []
    with log(db) as connection:
        for name in files:
            try:
                exports = reading.read(name, clock.utc_now())
                taken = imports.take(connection, paths.source_name(name), exports)
            except OutcomesError as fault:
                faults.append(fault)
                console.say(f"Error: {fault}", err=True)
                continue
            for one in taken:
                console.say(f"{one.project} {one.window}: {one.rows:,} cells, {one.became}")
    console.say(f"database: {db}")
    if faults:
        raise click.exceptions.Exit(faults[0].exit_code)


@click.group()
def federation() -> None:
    """Show what was exchanged, and forget what another project told."""


@federation.command("list")
@reading_options
@click.pass_obj
def list_(db: Path, output: str | None) -> None:
    """List what this project exported and what it took in."""
    from model_outcomes.answers import terminal
    from model_outcomes.federation import history

    with built(db) as connection:
        exchanged, spent = history.exchanged(connection), history.budget(connection)
    console.write(terminal.shown(exchanged, history.COLUMNS, output))
    if spent and not output:
        console.say(spent)


@federation.command()
@click.argument("project")
@click.pass_obj
def forget(db: Path, project: str) -> None:
    """Remove all that came from PROJECT, named by the beginning of its pseudonym."""
    from model_outcomes.federation import imports

    with existing_log(db) as connection:
        name, windows = imports.forget(connection, project)
    console.say(f"{name}: {windows:,} windows forgotten")
