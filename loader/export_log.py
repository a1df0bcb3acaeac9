"""The command export-log."""

from __future__ import annotations

from pathlib import Path

import click

from loader.connections import built
from model_outcomes.base import console


@click.command("export-log")
@click.option("--to", "kind", type=click.Choice(["parquet", "postgres"]), required=True,
              help="Format: Parquet files, or tables of a PostgreSQL database.")  # fmt: skip
@click.argument("place", metavar="[DIR|DSN]", required=False)
@click.pass_obj
def export_log(db: Path, kind: str, place: str | None) -> None:
    """Export new outcomes to another engine.

    The default DIR is OUTCOMES_PARQUET, else <database>.parquet. The default DSN is OUTCOMES_POSTGRES.
    """
    from model_outcomes.base import outputs, paths
    from model_outcomes.warehouse.engines import parquet_log, postgres_log, targets

    def progress(rows: int) -> None:
        console.say(f"{rows:,} outcomes", err=True)

    folder = paths.absolute(place) if place and kind == "parquet" else paths.parquet_log(db)
    if kind == "parquet":
        outputs.check(folder, db, "exported log", Path.is_dir, is_folder=True)
    with built(db) as connection:
        if kind == "parquet":
            result, destination = parquet_log.export(connection, folder, progress=progress), str(folder)
        else:
            result, destination = postgres_log.export(connection, targets.dsn(place), progress=progress), "PostgreSQL"
    others = sum(result.others.values())
    console.say(
        f"{result.rows:,} outcomes exported to {destination}, which has them up to id {result.last};"
        f" {others:,} other rows"
    )
