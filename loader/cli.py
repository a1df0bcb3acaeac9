"""The command line. Each command opens, parses, saves and reports; the library does the work.

`SECTIONS` names the module of each command in this folder, as `loader --help` groups them. Only that module is imported
to run the command, because `loader record` must start fast. A command imports what it alone needs when it runs.
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

SECTIONS = {
    "Record": {"init": "record", "record": "record", "correct": "correct", "drain": "record"},
    "Load": {"load": "load", "import-legacy": "load", "sync-uok": "sync_uok", "rejects": "rejects"},
    "Build": {"build": "build", "audit": "build", "docs": "build", "export-log": "export_log"},
    "Ask": {
        "stats": "ask", "rank": "ask", "pairs": "pairs", "trends": "ask", "candidates": "ask", "compare": "ask",
    },
    "Publish": {"run": "run", "report": "report", "serve": "serve"},
    "Share": {"export-federated": "federation", "import-federated": "federation", "federation": "federation"},
    "Maintain": {"runs": "run", "doctor": "doctor", "backup": "doctor"},
}  # fmt: skip
COMMANDS = {name: module for section in SECTIONS.values() for name, module in section.items()}


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

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in sections, each with the first sentence of its help, aligned over all sections."""
        length = max(map(len, COMMANDS))
        limit = formatter.width - 6 - length
        for section, names in SECTIONS.items():
            rows = [
                (name.ljust(length), command.get_short_help_str(limit))
                for name in names
                if (command := self.get_command(context, name))
            ]
            with formatter.section(section):
                formatter.write_dl(rows)


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
