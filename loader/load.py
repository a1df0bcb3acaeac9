"""Commands that load files into the log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from loader import load_as
from loader.connections import DURABILITY, MAX_REJECTS, expect_few_rejects, log
from loader.map_options import load_table, map_options
from model_outcomes.base import console, messages
from model_outcomes.base.errors import EXIT_ERROR, EXIT_REJECTED, OutcomesError
from model_outcomes.base.settings import LoadSettings

ALL_OR_NOTHING = click.option("--all-or-nothing", is_flag=True, help="If any part of a file is rejected, change"
                              " nothing and exit 3.")  # fmt: skip


@click.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--format", type=click.Choice(["jsonl", "json", "csv"]), help="Input format (default: detected).")
@MAX_REJECTS
@click.option("--complete", is_flag=True, help="The file is complete: load a last line without a newline.")
@click.option("--extra", type=click.Choice(["keep", "ignore", "reject"]), default="keep", show_default=True,
              help="Keep unknown fields as attributes, ignore them, or reject their lines.")  # fmt: skip
@map_options
@click.option("--explain", is_flag=True, help="Print the options that a file of your own needs, and load nothing.")
@click.option("--distinct", is_flag=True, help="Load lines without event_id that equal outcomes in the log, too.")
@click.option("--accept-changes", is_flag=True, help="Correct outcomes whose verdict changed in the file.")
@ALL_OR_NOTHING
@DURABILITY
@load_as.mapping_options
@click.pass_obj
def load(
    db: Path, /, files: tuple[str, ...], max_rejects: int, complete: bool, durability: str | None,
    mapping: str | None, dry_run: bool, explain: bool, **how: Any,
) -> None:  # fmt: skip
    """Load new outcomes from files.

    A file is JSON Lines, a JSON array or CSV, or one of these as .gz. FILE - is standard input. With --map, --success
    and the like, the file may have fields of its own: --explain proposes them. With --as, FILE is a file of another
    tool, or a folder of such files. A line with a verdict (success, failure or void) instead of a success is a
    correction of the outcome with its event_id or outcome_id.
    """
    values = {name: how.pop(name) for name in load_as.PARAMETERS}
    table = load_table(how, values)
    if table.mapping and not mapping:
        mapping = table.mapping
        values = {name: getattr(table, name) if value is None else value for name, value in values.items()}
    if mapping and (table.map or table.success or table.timeout or table.unit):
        raise click.UsageError("--map, --success, --timeout and --unit are for files of your own, not with --as")
    if mapping and dry_run:
        load_as.dry_run(files, mapping, values)
        return
    if mapping:
        load_as.load(db, files, mapping, values, all_or_nothing=how["all_or_nothing"],
                     accept_changes=how["accept_changes"], max_rejects=max_rejects,
                     durability=durability)  # fmt: skip
        return
    others = [name for name in load_as.OF_MAPPINGS if values[name] is not None]
    if dry_run or others:
        option = f"--{others[0].replace('_', '-')}" if others else "--dry-run"
        raise click.UsageError(f"{option} needs --as TOOL, which names the tool, or a mapping of your own")
    from model_outcomes.intake import loads
    from model_outcomes.intake.field_map import FieldMap

    if explain:
        _explain(files, how["format"])
        return
    how["field_map"] = FieldMap.of(table) if table != LoadSettings() else None
    rejected, faults = 0, []
    with log(db, durability) as connection, loads.lock(db):
        for name in files:
            try:
                with _progress(name) as progress:
                    result = loads.load_file(connection, name, is_final=complete, progress=progress,
                                             **how)  # fmt: skip
            except OutcomesError as fault:
                faults.append(fault)
                console.say(f"Error: {fault}", err=True)
                continue
            rejected += result.rejected
            _report(result, how["extra"])
    console.say(f"database: {db}")
    if faults:
        raise click.exceptions.Exit(faults[0].exit_code)
    expect_few_rejects(rejected, max_rejects)


def _explain(files: tuple[str, ...], format: str | None) -> None:
    from model_outcomes.intake.explanation import explain

    is_complete = True
    for name in files:
        explanation = explain(name, format)
        is_complete &= not explanation.missing
        for line in explanation.lines():
            console.say(line)
    if not is_complete:
        raise click.exceptions.Exit(EXIT_ERROR)


@click.command("import-legacy")
@click.argument("file", type=click.Path(path_type=Path), required=False)
@ALL_OR_NOTHING
@click.pass_obj
def import_legacy(db: Path, file: Path | None, all_or_nothing: bool) -> None:
    """Import an older tool's totals from JSON.

    They become opening balances. Without FILE, the command reads .sf/model-performance.json, and moves it to
    .sf/archive/ after a week without a change.
    """
    from model_outcomes.intake import legacy

    with log(db) as connection:
        if file:
            result = legacy.import_file(connection, file, all_or_nothing=all_or_nothing)
        else:
            result = legacy.import_and_archive(connection, legacy.DISCOVERED, all_or_nothing=all_or_nothing)
    console.say(
        f"{result.source}: {result.added:,} cells added to, {result.unchanged:,} unchanged,"
        f" {len(result.faults):,} rejected"
    )
    if result.archived:
        console.say(f"unchanged for a week, moved to {result.archived}")
    console.say(f"database: {db}")
    for path, reasons in result.named_faults():
        console.say(f"  {path}: {'; '.join(reasons)}", err=True)
    if result.faults:
        raise click.exceptions.Exit(EXIT_REJECTED)


@contextmanager
def _progress(name: str) -> Iterator[Any]:
    """Yield a progress bar, which only a terminal shows."""
    with click.progressbar(length=0, label=console.printable(Path(name).name),
                           file=console.unguarded(sys.stderr),
                           hidden=not sys.stderr.isatty()) as bar:  # fmt: skip

        def progress(done: int, size: int) -> None:
            bar.length = size
            bar.update(done - bar.pos)

        yield progress


def _report(result: Any, extra: str) -> None:
    """Print the counts of a file on stdout, and its faults on stderr."""
    earlier = " (the rest was loaded before)" if result.skipped_bytes else ""
    console.say(
        f"{result.source}: {result.accepted:,} accepted, {result.duplicates:,} duplicates,"
        f" {result.rejected:,} rejected{earlier}"
    )
    for line in [*result.remarks(), *messages.reason_lines(result.reasons)]:
        console.say(f"  {line}", err=True)
    if result.unknown_fields:
        from model_outcomes.log import validation

        counts = result.unknown_fields.items()
        fields = ", ".join(f"{name} ({count:,}{validation.suggestion(name)})" for name, count in counts)
        more = result.other_unknown_fields
        fields += f", and {more:,} more under other names" if more else ""
        treatment = "kept as attributes" if extra == "keep" else "ignored unknown fields"
        console.say(f"  {treatment}: {fields}", err=True)
    if result.damage:
        console.say(f"  {result.damage}", err=True)
    if result.has_unfinished_line:
        console.say("  the last line has no newline yet: it waits for the next load (or --complete)", err=True)
