"""The command that mirrors the orchestrator's table in the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from loader.connections import MAX_REJECTS, expect_few_rejects, log
from model_outcomes.base import console, messages, paths


@click.command("sync-uok")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--adopt", is_flag=True, help="Append its rows to the log, once, instead of mirroring them.")
@click.option("--install-view", is_flag=True,
              help="Only create the view model_performance in PATH.")  # fmt: skip
@MAX_REJECTS
@click.pass_obj
def sync_uok(db: Path, path: Path, adopt: bool, install_view: bool, max_rejects: int) -> None:
    """Mirror the orchestrator's table.

    PATH is the orchestrator's database. Its table llm_task_outcomes is only read.
    """
    from model_outcomes.intake import loads, uok

    if install_view:
        if adopt:
            raise click.UsageError("--install-view cannot be combined with --adopt")
        is_new = uok.install_view(path)
        console.say(
            f"{paths.absolute(path)}: the view model_performance {'was created' if is_new else 'exists already'}"
        )
        return
    with log(db) as connection, loads.lock(db):
        result = (uok.adopt if adopt else uok.sync)(connection, path)
    _report(result, adopt)
    console.say(f"database: {db}")
    expect_few_rejects(result.rejected, max_rejects)


def _report(result: Any, adopted: bool) -> None:
    """Print the counts on stdout, and faults and changes on stderr."""
    if result.skipped:
        console.say(f"{result.source}: not changed since the last pass, skipped")
        return
    changed = "corrected upstream" if adopted else "changed"
    console.say(
        f"{result.source}: {result.seen:,} seen, {result.added:,} added, {result.changed:,} {changed},"
        f" {result.unchanged:,} unchanged, {result.rejected:,} rejected"
    )
    for line in messages.reason_lines(result.reasons):
        console.say(f"  {line}", err=True)
    if adopted and result.changed:
        console.say("  the log is append-only and keeps the adopted rows: see rejected_outcomes", err=True)
    if result.vanished:
        console.say(f"  {result.vanished:,} mirrored rows were deleted there, and are kept here", err=True)
