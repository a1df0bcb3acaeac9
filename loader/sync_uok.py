"""The command that brings the orchestrator's own table beside the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from loader.connections import REJECTED, log
from loader.load import EXAMPLES
from model_outcomes.base import console, paths


@click.command("sync-uok")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--adopt", is_flag=True, help="Append its rows to the log itself, once, instead of mirroring them.")
@click.option("--install-view", is_flag=True,
              help="Only create the view model_performance in the orchestrator's database.")  # fmt: skip
@click.option("--max-rejects", type=click.IntRange(min=0), default=0, show_default=True,
              help="Exit 3 if more rows than this are rejected.")  # fmt: skip
@click.pass_obj
def sync_uok(db: Path, path: Path, adopt: bool, install_view: bool, max_rejects: int) -> None:
    """Mirror the orchestrator's llm_task_outcomes from its database, PATH, which is only read."""
    from model_outcomes.intake import loads, uok

    if install_view:
        if adopt:
            raise click.UsageError("--install-view does nothing else: call it without --adopt")
        is_new = uok.install_view(path)
        console.say(
            f"{paths.absolute(path)}: the view model_performance {'was created' if is_new else 'is there already'}"
        )
        return
    with log(db) as connection, loads.loading(db):
        result = (uok.adopt if adopt else uok.sync)(connection, path)
    _report(result, adopt)
    console.say(f"database: {db}")
    if result.rejected > max_rejects:
        console.say(f"Error: {result.rejected:,} rejected, --max-rejects is {max_rejects:,}", err=True)
        raise click.exceptions.Exit(REJECTED)


def _report(result: Any, adopted: bool) -> None:
    """Print the counts on stdout, and what a person should look at on stderr."""
    if result.skipped:
        console.say(f"{result.source}: not changed since the last time, skipped")
        return
    changed = "corrected upstream" if adopted else "changed"
    console.say(
        f"{result.source}: {result.seen:,} seen, {result.added:,} added, {result.changed:,} {changed},"
        f" {result.unchanged:,} unchanged, {result.rejected:,} rejected"
    )
    for reason, count in result.reasons.most_common(EXAMPLES):
        console.say(f"  {count:,} x {reason}", err=True)
    if adopted and result.changed:
        console.say("  the log is append-only and keeps them as adopted: see rejected_outcomes", err=True)
    if result.vanished:
        console.say(f"  {result.vanished:,} mirrored rows are gone there, and are kept here", err=True)
