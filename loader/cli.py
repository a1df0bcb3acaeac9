"""The command line: each command opens, parses, saves and reports; the work is done elsewhere.

What only one command needs is imported in it: `loader record` must start as fast as it can.
"""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from loader import store
from loader.errors import OutcomesError

REJECTED = 3
EXAMPLES = 5


class _Commands(click.Group):
    """Errors that the user can mend are one line and an exit code; others keep their traceback."""

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except OutcomesError as fault:
            raise _Failure(fault) from None


class _Failure(click.ClickException):
    def __init__(self, fault: OutcomesError) -> None:
        super().__init__(str(fault))
        self.exit_code = fault.exit_code  # type: ignore[misc]


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--db",
    type=click.Path(path_type=Path),
    envvar="OUTCOMES_DB",
    default=Path("data/outcomes.db"),
    show_default=True,
    show_envvar=True,
    help="The SQLite file of the log.",
)
@click.version_option(package_name="model-outcomes")
@click.pass_context
def main(context: click.Context, db: Path) -> None:
    """Record what models did, and ask which one to use."""
    context.obj = store.absolute(db)


@main.command()
@click.pass_obj
def init(db: Path) -> None:
    """Create the database, or bring it up to date."""
    store.create_or_open(db).close()
    click.echo(f"{db} has schema version {store.SCHEMA_VERSION}")


@main.command()
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


@main.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--format", type=click.Choice(["jsonl", "json", "csv"]), help="Instead of finding out.")
@click.option("--max-rejects", type=click.IntRange(min=0), default=0, show_default=True,
              help="Exit 3 when more lines than this are refused.")  # fmt: skip
@click.option("--complete", is_flag=True, help="Nothing will be appended: take a last line without its newline.")
@click.pass_obj
def load(db: Path, files: tuple[str, ...], format: str | None, max_rejects: int, complete: bool) -> None:
    """Load what is new in files of outcomes: JSON Lines, a JSON array, CSV; .gz of each; - is stdin."""
    from loader import loading

    rejected, faults = 0, []
    with _log(db) as connection, loading.loading(db):
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


@main.command("import-legacy")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.pass_obj
def import_legacy(db: Path, file: Path | None) -> None:
    """Take over aggregates from an older tool's JSON as opening balances.

    Without FILE, .sf/model-performance.json is meant.
    """
    from loader import legacy

    with _log(db) as connection:
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


@main.command()
@click.option("--full-refresh", is_flag=True, help="Compute the rollups from the whole log again.")
@click.option("--select", multiple=True, help="Only these dbt nodes, in dbt's syntax.")
@click.option("--quiet", is_flag=True, help="Show dbt's warnings and errors only.")
@click.option("--wait", type=click.FloatRange(min=0), default=0, metavar="SECONDS",
              help="Wait for another build to end, instead of exit 75.")  # fmt: skip
@click.pass_obj
def build(db: Path, full_refresh: bool, select: tuple[str, ...], quiet: bool, wait: float) -> None:
    """Bring the dbt models up to date and test them (dbt build)."""
    from loader import warehouse

    count = warehouse.build(db, full_refresh=full_refresh, select=select, quiet=quiet, wait=wait)
    click.echo(f"{count} dbt models, seeds and tests built in {db}")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Everything that was compared, for programs.")
@click.pass_obj
def audit(db: Path, as_json: bool) -> None:
    """Compute what was built from the raw log again, and compare."""
    from loader import auditing

    with _built(db) as connection:
        found = auditing.audit(connection)
    click.echo(auditing.as_json(found) if as_json else auditing.as_text(found))
    if found.differences:
        raise click.exceptions.Exit(auditing.DIFFERS)


def _reading(command: Callable[..., None]) -> Callable[..., None]:
    """The options that every reading command has: a table for people unless a program asks."""
    command = click.option("--csv", "output", flag_value="csv", help="Every column, for spreadsheets.")(command)
    return click.option("--json", "output", flag_value="json", help="Every column, for programs.")(command)


@main.command()
@click.argument("task_type", required=False)
@_reading
@click.pass_obj
def stats(db: Path, task_type: str | None, output: str | None) -> None:
    """Show what every model did at a task type, or at all of them."""
    from loader import reading, terminal

    with _built(db) as connection:
        reading.expect_task_type(connection, task_type)
        answer = reading.stats(connection, task_type)
    click.echo(terminal.shown(answer, terminal.STATS, output))


@main.command()
@click.argument("task_type")
@click.option("--min-samples", type=click.IntRange(min=0), default=3, show_default=True,
              help="Leave out models with fewer trials.")  # fmt: skip
@_reading
@click.pass_obj
def rank(db: Path, task_type: str, min_samples: int, output: str | None) -> None:
    """Show the models at a task type, the best first."""
    from loader import reading, terminal

    with _built(db) as connection:
        reading.expect_task_type(connection, task_type)
        answer = reading.ranked_models(connection, task_type, min_samples)
    click.echo(terminal.shown(answer, terminal.RANKING, output))


@main.command()
@click.argument("task_type", required=False)
@click.option("--model-id", help="Only this model.")
@click.option("--days", type=click.IntRange(min=1), default=30, show_default=True,
              help="How many days, up to the last one with an outcome.")  # fmt: skip
@_reading
@click.pass_obj
def trends(db: Path, task_type: str | None, model_id: str | None, days: int, output: str | None) -> None:
    """Show how models did day by day, as of the last build."""
    from loader import reading, terminal

    with _built(db) as connection:
        reading.expect_task_type(connection, task_type)
        answer = reading.trends(connection, task_type, model_id, days)
    click.echo(terminal.shown(answer, terminal.TRENDS, output))


@main.command()
@click.argument("task_type", required=False)
@_reading
@click.pass_obj
def candidates(db: Path, task_type: str | None, output: str | None) -> None:
    """Show which models should lose their place, and which ones are worth a trial."""
    from loader import reading, terminal

    with _built(db) as connection:
        reading.expect_task_type(connection, task_type)
        answer = reading.candidates(connection, task_type)
    click.echo(terminal.shown(answer, terminal.CANDIDATES, output))


@main.command()
@click.argument("incumbent")
@click.argument("challenger")
@click.option("--task-type", required=True, help="The task type to compare them at.")
@click.option("--since", help="Only outcomes from this time on: 2026-01-31 or 2026-01-31T12:00:00Z.")
@click.option("--until", help="Only outcomes before this time.")
@_reading
@click.pass_obj
def compare(db: Path, incumbent: str, challenger: str, task_type: str, since: str | None, until: str | None,
            output: str | None) -> None:  # fmt: skip
    """Compare two models at a task type, from the log as it is now."""
    from loader import comparing, reading, terminal

    with _built(db) as connection:
        reading.expect_task_type(connection, task_type)
        answer = comparing.compare(connection, incumbent, challenger, task_type, since=since, until=until)
    click.echo(terminal.comparison(answer, comparing.arms(answer), output))


@contextmanager
def _log(db: Path) -> Iterator[sqlite3.Connection]:
    """The log, open for writing; made where it is missing."""
    connection = store.create_or_open(db)
    try:
        with store.plain_faults(db):
            yield connection
    finally:
        connection.close()


@contextmanager
def _built(db: Path) -> Iterator[sqlite3.Connection]:
    """A log that is there, open to ask the marts."""
    connection = store.open_existing(db)
    try:
        with store.plain_faults(db):
            yield connection
    finally:
        connection.close()


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
