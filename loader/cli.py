"""The command line. Each command opens, parses, saves and reports; the library does the work.

`COMMANDS` names the module of each command in this folder. Only that module is imported to run the command, because
`loader record` must start fast. A command imports what it alone needs when it runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from loader.connections import SETTINGS_FAULT
from model_outcomes.base import console, paths, settings
from model_outcomes.base.errors import OutcomesError, plain_os_fault

COMMANDS = {
    "init": "record",
    "record": "record",
    "drain": "record",
    "load": "load",
    "import-legacy": "load",
    "sync-uok": "sync_uok",
    "build": "build",
    "audit": "build",
    "docs": "build",
    "run": "run",
    "runs": "run",
    "doctor": "doctor",
    "backup": "doctor",
    "stats": "ask",
    "rank": "ask",
    "trends": "ask",
    "candidates": "ask",
    "compare": "ask",
    "report": "report",
    "serve": "serve",
    "export-federated": "federation",
    "import-federated": "federation",
    "federation": "federation",
    "export-log": "export_log",
}


class _Commands(click.Group):
    """The group of all commands. An error that the user can fix is one line and an exit code; other errors keep their
    traceback. All output passes the guard of `console`."""

    def main(self, *arguments: Any, **extra: Any) -> Any:
        with console.guarding():
            return super().main(*arguments, **extra)

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        fault = None
        with _failures():
            try:
                settings.adopt()
            except settings.SettingsError as broken:
                fault = broken
            context = super().make_context(*arguments, **extra)
        context.meta[SETTINGS_FAULT] = fault
        return context

    def invoke(self, context: click.Context) -> Any:
        with _failures():
            return super().invoke(context)

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse every command but `record` if the settings cannot be read. `record` keeps its outcome."""
        name, command, rest = super().resolve_command(context, arguments)
        if (fault := context.meta[SETTINGS_FAULT]) and name != "record":
            raise fault
        return name, command, rest

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"loader.{COMMANDS[name]}"), name.replace("-", "_"))
        return command


@contextmanager
def _failures() -> Iterator[None]:
    """Turn our errors into Click's, each with a message of one line."""
    try:
        yield
    except OutcomesError as fault:
        raise _Failure(fault) from None
    except OSError as fault:
        if plain := plain_os_fault(fault):
            raise _Failure(plain) from None
        raise
    except click.ClickException as fault:
        fault.message = console.printable(fault.message)  # type: ignore[misc]
        raise


class _Failure(click.ClickException):
    def __init__(self, fault: OutcomesError) -> None:
        super().__init__(str(fault))
        self.exit_code = fault.exit_code  # type: ignore[misc]


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--db",
    type=click.Path(path_type=Path),
    envvar="OUTCOMES_DB",
    default=Path(paths.DATABASE),
    show_default=True,
    show_envvar=True,
    help="SQLite file of the log.",
)
@click.version_option(package_name="model-outcomes")
@click.pass_context
def main(context: click.Context, db: Path) -> None:
    """Record outcomes of LLM tasks, and ask which model to use."""
    context.obj = paths.absolute(db)
