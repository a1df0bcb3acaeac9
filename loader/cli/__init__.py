"""The command line: each command opens, parses, saves and reports; the work is done elsewhere.

A command lives in the module of this folder that `COMMANDS` names, and only that module is imported
to run it: `loader record` must start as fast as it can. What one command alone needs is imported in
the command.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from loader import configuration, store
from loader.errors import OutcomesError, plain_os_fault

COMMANDS = {
    "init": "recording",
    "record": "recording",
    "drain": "recording",
    "load": "filling",
    "import-legacy": "filling",
    "sync-uok": "orchestrating",
    "build": "building",
    "audit": "building",
    "docs": "building",
    "run": "running",
    "runs": "running",
    "doctor": "upkeep",
    "backup": "upkeep",
    "stats": "asking",
    "rank": "asking",
    "trends": "asking",
    "candidates": "asking",
    "compare": "asking",
    "report": "reporting",
    "serve": "exploring",
    "export-federated": "federating",
    "import-federated": "federating",
    "federation": "federating",
    "export-log": "carrying",
}


class _Commands(click.Group):
    """Errors that the user can mend are one line and an exit code; others keep their traceback."""

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        try:
            configuration.adopt()
        except OutcomesError as fault:
            raise _Failure(fault) from None
        return super().make_context(*arguments, **extra)

    def invoke(self, context: click.Context) -> Any:
        try:
            return super().invoke(context)
        except OutcomesError as fault:
            raise _Failure(fault) from None
        except OSError as fault:
            if plain := plain_os_fault(fault):
                raise _Failure(plain) from None
            raise

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(f"loader.cli.{COMMANDS[name]}"), name.replace("-", "_"))
        return command


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
