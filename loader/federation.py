"""The commands export-federated, import-federated and federation (docs/guides/federation.md)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from loader.ask import reading_options
from loader.connections import Number, built, existing_log, log
from model_outcomes.base import clock, console, locks, paths
from model_outcomes.base.errors import OutcomesError


@click.command("export-federated")
@click.option("-o", "--output", required=True, metavar="FILE",
              help="File to write; gzipped if it ends in .gz; - is standard output.")  # fmt: skip
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY",
              help="Last day to export.  [default: the end of the last whole month]")  # fmt: skip
@click.option("--min-outcomes", type=click.IntRange(min=10), default=10, show_default=True,
              help="Hold back cells with fewer outcomes since their last export.")  # fmt: skip
@click.option("--epsilon", type=Number(min=0.0001, max=100),
              help="Add noise: each outcome is hidden up to this privacy loss; needs --cells.")  # fmt: skip
@click.option("--cells", type=click.Path(path_type=Path), metavar="FILE",
              help="Cells of a noisy export: CSV with the columns task_type and model_id.")  # fmt: skip
@click.option("--rename-map", type=click.Path(path_type=Path), metavar="FILE",
              help="Names to publish instead, as JSON; later exports keep them.")  # fmt: skip
@click.option("--licence", default="CC0-1.0", show_default=True, help="Licence of the exported figures.")
@click.option("--all", "everything", is_flag=True, help="Write all current exports, not just the new ones.")
@click.pass_obj
def export_federated(db: Path, /, output: str, until: datetime | None, epsilon: float | None, cells: Path | None,
                     rename_map: Path | None, everything: bool, **options: Any) -> None:  # fmt: skip
    """Export sums for other projects.

    A sum is over the outcomes of one task type and model.
    """
    from model_outcomes.federation import exports, files, option_files
    from model_outcomes.federation.ledger import Ledger

    file = files.check(output, db)
    chosen = exports.ExportOptions(
        until and until.date(), epsilon=epsilon, cells=option_files.cells(epsilon, cells), **options
    )
    with existing_log(db) as connection, locks.exclusive(paths.federation_lock(db), "an export"):
        if rename_map:
            Ledger(connection).rename(option_files.rename_map(rename_map))
        result = exports.export(connection, file, chosen, everything=everything)
    for line in exports.report(result, output, chosen):
        console.say(line, err=output == "-")


@click.command("import-federated")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.pass_obj
def import_federated(db: Path, files: tuple[str, ...]) -> None:
    """Import exports of other projects.

    A file with a fault is rejected as a whole.
    """
    from model_outcomes.federation import files as federation_files
    from model_outcomes.federation import imports

    faults = []
    with log(db) as connection:
        for name in files:
            try:
                exports = federation_files.read(name, clock.utc_now())
                results = imports.import_exports(connection, paths.source_name(name), exports)
            except OutcomesError as fault:
                faults.append(fault)
                console.say(f"Error: {fault}", err=True)
                continue
            for result in results:
                console.say(f"{result.project} {result.window}: {result.rows:,} cells, {result.status}")
    console.say(f"database: {db}")
    if faults:
        raise click.exceptions.Exit(faults[0].exit_code)


@click.group()
def federation() -> None:
    """List exports and imports, or forget a project."""


@federation.command("list")
@reading_options
@click.pass_obj
def list_(db: Path, output: str | None) -> None:
    """List this project's exports and its imports."""
    from model_outcomes.answers import terminal
    from model_outcomes.federation import exchanges

    with built(db) as connection:
        answer, privacy_spent = exchanges.exchanges(connection), exchanges.privacy_spent(connection)
    console.write(terminal.shown(answer, exchanges.COLUMNS, output))
    if privacy_spent and not output:
        console.say(privacy_spent)


@federation.command()
@click.argument("project")
@click.pass_obj
def forget(db: Path, project: str) -> None:
    """Remove all imports from PROJECT.

    PROJECT is the beginning of its pseudonym (`loader federation list`).
    """
    from model_outcomes.federation import imports

    with existing_log(db) as connection:
        name, windows = imports.forget(connection, project)
    console.say(f"{name}: {windows:,} windows removed")
