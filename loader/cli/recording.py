"""Commands that make a log and append to it, one outcome at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from loader import store
from loader.errors import OutcomesError


@click.command()
@click.pass_obj
def init(db: Path) -> None:
    """Create the database, or bring it up to date."""
    store.create_or_open(db).close()
    click.echo(f"{db} has schema version {store.SCHEMA_VERSION}")


@click.command()
@click.option("--task-type", required=True, help="What kind of task it was.")
@click.option("--model-id", required=True, help="The model that tried it.")
@click.option("--success/--failure", default=None, help="The verdict.  [required]")
@click.option("--timeout", is_flag=True, help="It failed by running out of time.")
@click.option("--tokens-used", type=int, help="Tokens in all.")
@click.option("--cost-usd", type=float, help="Cost in US dollars; 0 is free, left out is unknown.")
@click.option("--timestamp", help="When, with an offset: 2026-01-31T12:00:00Z.  [default: now]")
@click.option("--event-id", help="Its name: the same event twice is one outcome.")
@click.option("--task-id", help="The very task, where several models try it.")
@click.option("--experiment-id", help="The declared experiment it belongs to.")
@click.option("--recorded-by", help="The agent or project that writes it.")
@click.option("--duration-ms", type=int, help="How long it took, in milliseconds.")
@click.option("--input-tokens", type=int, help="Tokens read.")
@click.option("--output-tokens", type=int, help="Tokens written.")
@click.option("--error-type", help="Why it failed; see the seed error_types.")
@click.option("--cost-source", type=click.Choice(["provider", "local"]), help="Who told the cost.")
@click.pass_obj
def record(db: Path, /, **values: Any) -> None:
    """Append one outcome to the log."""
    from loader.api import ModelOutcomes

    if values["success"] is None:
        raise OutcomesError("the verdict is missing: give --success or --failure")
    with ModelOutcomes(db) as outcomes:
        outcomes.record(**values)
    click.echo(f"recorded in {db}")
