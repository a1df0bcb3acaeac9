"""The command that shows pairs of models."""

from __future__ import annotations

from pathlib import Path

import click

from loader.connections import built
from model_outcomes.base import console


@click.command()
@click.argument("task_type")
@click.argument("models", nargs=-1, metavar="[MODEL RIVAL]")
@click.option("--json", "output", flag_value="json", help="Print every column as JSON.")
@click.pass_obj
def pairs(db: Path, task_type: str, models: tuple[str, ...], output: str | None) -> None:
    """Compare models at the same tasks.

    Without models: every pair of the task type. With two models: their difference in words, and the tasks that only one
    of them solved. As of the last build.
    """
    from model_outcomes.answers import build_settings, queries, terminal
    from model_outcomes.answers import pairs as answers

    if len(models) not in (0, 2):
        raise click.UsageError("Name two models, or none.")
    with built(db) as connection:
        queries.expect_task_type(connection, task_type)
        level = build_settings.read(connection).level
        if models:
            row = answers.pair(connection, task_type, *models)
            text = terminal.as_json(row) if output else answers.in_words(row, level)
        else:
            text = terminal.shown(answers.of_task_type(connection, task_type), terminal.PAIRS, output)
    console.write(text)
