"""Commands that fill the log from files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from loader.cli.opening import DURABILITY, REJECTED, log
from loader.errors import OutcomesError

EXAMPLES = 5


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--format", type=click.Choice(["jsonl", "json", "csv"]), help="Instead of finding out.")
@click.option("--max-rejects", type=click.IntRange(min=0), default=0, show_default=True,
              help="Exit 3 when more lines than this are refused.")  # fmt: skip
@click.option("--complete", is_flag=True, help="Nothing will be appended: take a last line without its newline.")
@DURABILITY
@click.pass_obj
def load(db: Path, files: tuple[str, ...], format: str | None, max_rejects: int, complete: bool,
         durability: str | None) -> None:  # fmt: skip
    """Load what is new in files of outcomes: JSON Lines, a JSON array, CSV; .gz of each; - is stdin."""
    from loader import loading

    rejected, faults = 0, []
    with log(db, durability) as connection, loading.loading(db):
        for name in files:
            try:
                with _progress(name) as progress:
                    result = loading.load_file(connection, name, format=format, is_final=complete, progress=progress)
            except OutcomesError as fault:
                faults.append(fault)
                click.echo(f"Error: {fault}", err=True)
                continue
            rejected += result.rejected
            _report(result)
    click.echo(f"database: {db}")
    if faults:
        raise click.exceptions.Exit(faults[0].exit_code)
    if rejected > max_rejects:
        click.echo(f"Error: {rejected:,} refused, --max-rejects is {max_rejects:,}", err=True)
        raise click.exceptions.Exit(REJECTED)


@click.command("import-legacy")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.pass_obj
def import_legacy(db: Path, file: Path | None) -> None:
    """Take over aggregates from an older tool's JSON as opening balances.

    Without FILE, .sf/model-performance.json is meant.
    """
    from loader import legacy

    with log(db) as connection:
        result = legacy.import_file(connection, file or legacy.DISCOVERED)
    click.echo(
        f"{result.source}: {result.added:,} cells added to, {result.unchanged:,} unchanged,"
        f" {len(result.faults):,} refused"
    )
    click.echo(f"database: {db}")
    for path, reasons in result.faults.items():
        click.echo(f"  {path}: {'; '.join(reasons)}", err=True)
    if result.faults:
        raise click.exceptions.Exit(REJECTED)


@contextmanager
def _progress(name: str) -> Iterator[Any]:
    """A bar on a terminal, nothing in a log."""
    with click.progressbar(length=0, label=Path(name).name, file=sys.stderr,
                           hidden=not sys.stderr.isatty()) as bar:  # fmt: skip

        def progress(done: int, size: int) -> None:
            bar.length = size
            bar.update(done - bar.pos)

        yield progress


def _report(result: Any) -> None:
    """What came of a file: the counts on stdout, what a person should look at on stderr."""
    known = " (the rest was loaded before)" if result.skipped_bytes else ""
    click.echo(
        f"{result.source}: {result.accepted:,} accepted, {result.duplicates:,} duplicates,"
        f" {result.rejected:,} rejected{known}"
    )
    for reason, count in result.reasons.most_common(EXAMPLES):
        click.echo(f"  {count:,} x {reason}", err=True)
    if result.unknown_fields:
        fields = ", ".join(f"{name} ({count:,})" for name, count in result.unknown_fields.items())
        click.echo(f"  ignored unknown fields: {fields}", err=True)
    if result.damage:
        click.echo(f"  {result.damage}", err=True)
    if result.has_unfinished_line:
        click.echo("  the last line has no newline yet: it waits for the next load (or --complete)", err=True)
