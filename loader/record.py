"""Commands that create a log and append single outcomes to it."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import click
import msgspec
from click.core import ParameterSource

from loader.connections import DURABILITY, SETTINGS_FAULT, log
from model_outcomes.base import console, paths
from model_outcomes.base.errors import EXIT_ERROR, EXIT_REJECTED, NotKeptError, OutcomesError
from model_outcomes.log import store
from model_outcomes.log.outcome import FIELDS, described

if TYPE_CHECKING:
    from model_outcomes.log.outcome import Outcome

Command = TypeVar("Command", bound=Callable[..., Any])


@click.command()
@click.argument("workspace", required=False, metavar="[DIR]", type=click.Path(path_type=Path))
@click.pass_context
def init(context: click.Context, workspace: Path | None) -> None:
    """Create a database, or a workspace.

    Without DIR, create the database or upgrade it. With DIR, create a workspace there, too: your settings
    (outcomes.toml), your seeds (seeds/) and your own dbt models (models/). Files that exist in DIR stay as they are.
    The database is data/outcomes.db in DIR, unless you name another one.
    """
    db: Path = context.obj
    if workspace:
        from model_outcomes.base import outputs, settings
        from model_outcomes.warehouse import builds
        from model_outcomes.warehouse.workspace import create

        folder = outputs.check(workspace, db, "workspace", Path.is_dir, is_folder=True)
        for path in create(folder, builds.project_folder()):
            console.say(f"wrote {path}")
        if context.parent and context.parent.get_parameter_source("db") == ParameterSource.DEFAULT:
            db = settings.named_database(folder / paths.SETTINGS) or folder / paths.DATABASE
    store.create_or_open(db).close()
    console.say(f"{db} has schema version {store.SCHEMA_VERSION}")


def _outcome_options(command: Command) -> Command:
    """Add an option for each field of an outcome: its name, its type, and its description as the help."""
    for name, field in reversed(FIELDS.items()):
        command = _option(name, field)(command)
    return command


def _option(name: str, field: msgspec.structs.FieldInfo) -> Callable[[Command], Command]:
    flag, (meaning, type) = f"--{name.replace('_', '-')}", described(field)
    if name == "success":
        return click.option("--success/--failure", default=None, help=f"{meaning}  [required]")
    if name == "timestamp":
        return click.option(flag, help=f"{meaning}  [default: now]")
    if name == "attributes":
        return click.option("--attribute", name, multiple=True, metavar="NAME=VALUE", callback=_pairs,
                            help="A further fact; may be repeated.")  # fmt: skip
    if type is bool:
        return click.option(flag, is_flag=True, help=meaning)
    choices = get_args(type)
    return click.option(flag, type=click.Choice(choices) if choices else type, required=field.required, help=meaning)


def _pairs(context: click.Context, parameter: click.Parameter, texts: tuple[str, ...]) -> dict[str, str] | None:
    for text in texts:
        if "=" not in text:
            raise OutcomesError(f"--attribute: expected NAME=VALUE, got {text!r}")
    return dict(text.split("=", 1) for text in texts) or None


@click.command()
@_outcome_options
@DURABILITY
@click.pass_context
def record(context: click.Context, /, durability: str | None, **values: Any) -> None:
    """Append one outcome to the log.

    If the log cannot be written, the outcome waits in a spool for `loader drain`.
    """
    from model_outcomes.log import validation
    from model_outcomes.log.recorder import Recorder

    db: Path = context.obj

    if values["success"] is None:
        raise OutcomesError("the verdict is missing: give --success or --failure")
    new = validation.from_values(values)
    recorder = Recorder(db, durability)
    settings_fault: OutcomesError | None = context.meta[SETTINGS_FAULT]
    try:
        if settings_fault and not _is_named(context):
            spooled, recorder.trouble = _keep_unsettled(new), settings_fault
        else:
            spooled = recorder.keep(new)
            if settings_fault:
                _say(f"Warning: {settings_fault}; its settings are not used", err=True)
        recorder.close()
    except NotKeptError as fault:
        _say(fault.outcome, err=True)
        raise
    if spooled:
        _say(f"Warning: {recorder.trouble}; kept in {spooled} for `loader drain`", err=True)
    else:
        _say(f"recorded in {db}")
    # When Python ends, it collects garbage in all imported modules. That took a sixth of the command's time.
    gc.freeze()


def _keep_unsettled(outcome: Outcome) -> Path | None:
    from model_outcomes.log import spool

    return spool.append_unsettled(outcome)


def _is_named(context: click.Context) -> bool:
    """Return True if the caller names the database, so that outcomes.toml does not matter."""
    group = context.find_root()
    return group.get_parameter_source("db") != click.core.ParameterSource.DEFAULT


@click.command()
@click.pass_obj
def drain(db: Path) -> None:
    """Load the outcomes that wait in spools.

    Each outcome is loaded exactly once.
    """
    from model_outcomes.intake.drain import drain as drain_spools

    with log(db) as connection:
        result = drain_spools(connection, db)
    for path in result.files:
        _say(f"drained {path}")
    corrected = f", {result.corrected_count:,} corrected" if result.corrected_count else ""
    _say(f"{result.accepted:,} accepted, {result.duplicates:,} duplicates, {result.rejected:,} rejected{corrected}")
    _say(f"database: {db}")
    for remark in result.remarks():
        _say(f"Warning: {remark}", err=True)
    for fault in result.faults:
        _say(f"Error: {fault}", err=True)
    if result.rejected:
        _say(f"Error: {result.rejected:,} rejected, see rejected_outcomes", err=True)
    if result.faults:
        raise click.exceptions.Exit(EXIT_ERROR)
    if result.rejected:
        raise click.exceptions.Exit(EXIT_REJECTED)


def _say(text: str, *, err: bool = False) -> None:
    """Print a line. If that fails (a full disk, a closed pipe), the exit code stays: the outcome is committed, and the
    caller must not record it again."""
    stream = sys.stderr if err else sys.stdout
    try:
        console.say(text, err=err)
    except OSError:
        # Python writes the rest of the buffer when it ends, and would fail again.
        with suppress(OSError, ValueError, AttributeError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
