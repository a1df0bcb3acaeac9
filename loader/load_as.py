"""The part of `loader load` that reads other tools' files: its options, the load by a mapping, and the dry run."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from loader.connections import expect_few_rejects, log
from model_outcomes.base import console, messages
from model_outcomes.base.errors import EXIT_ERROR, OutcomesError

Command = TypeVar("Command", bound=Callable[..., Any])

PARAMETERS = ("task_type", "model_id", "timestamp", "score", "scorer", "threshold", "lower_is_better", "zone")
OF_MAPPINGS = ("score", "scorer", "threshold", "lower_is_better")
SHOWN = ("task_type", "model_id", "agent", "success", "timeout", "timestamp", "task_id", "attempt", "tokens_used",
         "cost_usd", "error_type")  # fmt: skip
_OPTIONS = (
    click.option("--as", "mapping", metavar="TOOL|FILE.sql",
                 help="Read another tool's files (see docs/guides/other-tools.md), or by a mapping of your own."),
    click.option("--dry-run", is_flag=True, help="With --as: show what a load would do, and write nothing."),
    click.option("--task-type", metavar="NAME", help="Task type of rows that have none."),
    click.option("--model-id", metavar="NAME", help="Model of rows that have none."),
    click.option("--timestamp", metavar="TIME", help="Time of rows that have none."),
    click.option("--score", metavar="NAME", help="With --as: score that decides."),
    click.option("--scorer", metavar="NAME", help="With --as: scorer that decides."),
    click.option("--threshold", type=float, help="With --as: a score from this number on is a success."),
    click.option("--lower-is-better/--higher-is-better", default=None,
                 help="With --as: a score up to the threshold is a success, or one from it on."),
    click.option("--zone", metavar="ZONE", help="Time zone of times without an offset, such as Europe/Berlin."),
)  # fmt: skip


def mapping_options(command: Command) -> Command:
    """Add the options of a load by a mapping."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def load(
    db: Path, files: tuple[str, ...], name: str, values: dict[str, Any], *, all_or_nothing: bool,
    accept_changes: bool, max_rejects: int, durability: str | None,
) -> None:  # fmt: skip
    """Load files by a mapping."""
    from model_outcomes.intake import loads, mapped, mapping

    chosen = mapping.named(name)
    parameters = mapped.checked_parameters(chosen, values)
    rejected, faults = 0, []
    with log(db, durability) as connection, loads.lock(db):
        for unit in mapped.units(chosen, files):
            try:
                if isinstance(unit, OutcomesError):
                    raise unit
                result = mapped.load(connection, chosen, unit, parameters, all_or_nothing=all_or_nothing,
                                     accept_changes=accept_changes)  # fmt: skip
            except OutcomesError as fault:
                faults.append(fault.exit_code)
                console.say(f"Error: {fault}", err=True)
                continue
            rejected += result.rejected
            faults += [EXIT_ERROR] if result.problems else []
            report(result)
    console.say(f"database: {db}")
    if faults:
        raise click.exceptions.Exit(faults[0])
    expect_few_rejects(rejected, max_rejects)


def report(result: Any) -> None:
    """Print the counts of a load on stdout, and its faults on stderr."""
    console.say(
        f"{result.source}: {result.accepted:,} accepted, {result.duplicates:,} duplicates,"
        f" {without_verdict(result.no_verdict)}, {result.rejected:,} rejected"
    )
    for line in (*result.remarks(), *messages.reason_lines(result.reasons), *result.problems):
        console.say(f"  {line}", err=True)


def without_verdict(reasons: Counter[str]) -> str:
    """Return "11 without a verdict: 9 sample_error, 2 not scored"."""
    text = f"{reasons.total():,} without a verdict"
    parts = [f"{count:,} {messages.short_name(reason)}" for reason, count in reasons.most_common()]
    return f"{text} ({', '.join(parts)})" if parts else text


def dry_run(files: tuple[str, ...], name: str, values: dict[str, Any]) -> None:
    """Print what a load by a mapping would do."""
    from model_outcomes.intake import mapped, mapping

    chosen = mapping.named(name)
    missing = [parameter for parameter in chosen.required if values.get(parameter) is None]
    stand_ins = {"timestamp": "1970-01-01T00:00:00Z", "threshold": 1.0, "lower_is_better": False}
    given = {**values, **{parameter: stand_ins.get(parameter, "?") for parameter in missing}}
    parameters = mapped.checked_parameters(chosen, given)
    faults = []
    for unit in mapped.units(chosen, files):
        try:
            if isinstance(unit, OutcomesError):
                raise unit
            preview = mapped.preview(chosen, unit, parameters)
        except OutcomesError as fault:
            faults.append(fault.exit_code)
            console.say(f"Error: {fault}", err=True)
            continue
        faults += [EXIT_ERROR] if preview.problems or preview.missing else []
        _show(preview, chosen)
    console.say("dry run: nothing was written")
    if missing:
        raise OutcomesError(chosen.request(missing))
    if faults:
        raise click.exceptions.Exit(faults[0])


def _show(preview: Any, chosen: Any) -> None:
    console.say(
        f"{preview.name}: {preview.successes:,} successes, {preview.failures:,} failures,"
        f" {without_verdict(preview.no_verdict)}, {preview.rejected:,} rejected"
    )
    shown = [name for name in SHOWN if any(row[name] is not None for row in preview.first)]
    cells = [shown, *([_cell(row[name]) for name in shown] for row in preview.first)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells if preview.first else ():
        console.say("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    if unknown := _unclassified(preview.error_types):
        console.say(f"  error types that no seed classifies: {', '.join(unknown)}")
    from model_outcomes.intake.mapping import option

    for parameter, count in preview.missing.items():
        console.say(f"  {count:,} rows need {option(parameter)}: {chosen.parameters[parameter]}", err=True)
    for line in (*messages.reason_lines(preview.reasons), *preview.problems):
        console.say(f"  {line}", err=True)


def _cell(value: Any) -> str:
    text = "" if value is None else str(int(value) if isinstance(value, bool) else value)
    return text if len(text) <= 32 else f"{text[:31]}…"


def _unclassified(error_types: Counter[str]) -> list[str]:
    """Return the error types that neither the shipped seed nor the user's has, each with its count."""
    import csv

    from model_outcomes.base import settings
    from model_outcomes.warehouse import builds

    patterns = []
    workspace = settings.workspace()
    seeds = [builds.project_folder() / "seeds" / "shipped_error_types.csv"]
    seeds += [workspace / "seeds" / "error_types.csv"] if workspace else []
    for path in seeds:
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                patterns += [row["error_type"] for row in csv.DictReader(file) if row.get("error_type")]
    return [
        f"{messages.short_name(name)} ({count:,})"
        for name, count in error_types.most_common(messages.NAMES_SHOWN)
        if not any(_matches(name, pattern) for pattern in patterns)
    ]


def _matches(name: str, pattern: str) -> bool:
    """Return True if a name is a rule of error_types, or matches one with `*`, as int_error_types does."""
    if "*" not in pattern:
        return name == pattern
    words = ".*".join(map(re.escape, pattern.split("*")))
    return re.fullmatch(words, name, re.IGNORECASE | re.DOTALL) is not None
