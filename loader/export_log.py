"""Commands that carry the log to other engines."""

from __future__ import annotations

from pathlib import Path

import click

from loader.connections import built
from model_outcomes.base import console


@click.command("export-log")
@click.option("--to", "kind", type=click.Choice(["parquet", "postgres"]), required=True,
              help="As Parquet files, or as tables of a PostgreSQL database.")  # fmt: skip
@click.argument("place", metavar="[DIR|DSN]", required=False)
@click.pass_obj
def export_log(db: Path, kind: str, place: str | None) -> None:
    """Carry what is new in the log to where another engine reads it.

    DIR is OUTCOMES_PARQUET unless given, else <database>.parquet; DSN is OUTCOMES_POSTGRES.
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
            done, where = parquet_log.export(connection, folder, progress=progress), str(folder)
        else:
            done, where = postgres_log.export(connection, targets.dsn(place), progress=progress), "PostgreSQL"
    others = sum(done.others.values())
    console.say(
        f"{done.rows:,} outcomes exported to {where}, which has them up to id {done.last}; {others:,} other rows"
    )
