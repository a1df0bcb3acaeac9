"""Commands that answer questions: a table for people, every column as JSON or CSV for programs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from loader.connections import TARGET, asked, built, built_on
from model_outcomes.base import console, engines
from model_outcomes.base.connection import Connection
from model_outcomes.base.errors import OutcomesError


def reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options --json and --csv to a command."""
    command = click.option("--csv", "output", flag_value="csv", help="Print every column as CSV.")(command)
    return click.option("--json", "output", flag_value="json", help="Print every column as JSON.")(command)


@click.command()
@click.argument("task_type", required=False)
@click.option("--by", metavar="KEYS", help="Split by agent, effort, variant or keys of the attributes: agent,team.")
@reading_options
@TARGET
@click.pass_obj
def stats(db: Path, task_type: str | None, by: str | None, output: str | None, target: str) -> None:
    """Show the totals of every model.

    For one task type, or for all. With --by, opening balances are left out.
    """
    from model_outcomes.answers import build_settings, queries, terminal

    if by:
        _stats_by([key.strip() for key in by.split(",")], db, task_type, output, target)
        return
    with built_on(target, db) as connection:
        queries.expect_task_type(connection, task_type)
        answer, level = queries.stats(connection, task_type), build_settings.read(connection).level
    console.write(terminal.shown(answer, terminal.STATS, output, level))


def _stats_by(keys: list[str], db: Path, task_type: str | None, output: str | None, target: str) -> None:
    from model_outcomes.answers import build_settings, groups, queries, terminal

    if target != engines.SQLITE:
        raise OutcomesError(f"--by reads the log: leave out --target {target}")
    with built(db) as connection:
        queries.expect_task_type(connection, task_type)
        answer, level = groups.stats(connection, keys, task_type), build_settings.read(connection).level
    console.write(terminal.shown(answer, terminal.grouped([groups.heading(key) for key in keys]), output, level))


@click.command()
@click.argument("task_type")
@click.option("--min-samples", type=click.IntRange(min=0),
              help="Leave out models with fewer trials than this.  [default: the build's min_samples, 3]")  # fmt: skip
@reading_options
@TARGET
@click.pass_obj
def rank(db: Path, task_type: str, min_samples: int | None, output: str | None, target: str) -> None:
    """Rank the models at a task type.

    The best is first: the one with the highest lower end of the interval of its success rate.
    """
    from model_outcomes.answers import build_settings, queries, terminal

    def question(connection: Connection) -> tuple[queries.Answer, str]:
        queries.expect_task_type(connection, task_type)
        ranking = queries.ranked_models(connection, task_type, min_samples)
        return ranking, build_settings.read(connection).level

    if target == engines.SQLITE:
        (answer, level), snapshot_at = asked(db, question)
        answer = [{**row, "snapshot_at": snapshot_at} for row in answer]
    else:
        with built_on(target, db) as connection:
            answer, level = question(connection)
    console.write(terminal.shown(answer, terminal.RANKING, output, level))


@click.command()
@click.argument("task_type", required=False)
@click.option("--model-id", help="Show only this model.")
@click.option("--days", type=click.IntRange(min=1), default=30, show_default=True,
              help="Number of days, up to the last one with an outcome.")  # fmt: skip
@reading_options
@click.pass_obj
def trends(db: Path, task_type: str | None, model_id: str | None, days: int, output: str | None) -> None:
    """Show success rates by day.

    As of the last build.
    """
    from model_outcomes.answers import build_settings, queries, terminal

    with built(db) as connection:
        queries.expect_task_type(connection, task_type)
        answer = queries.trends(connection, task_type, model_id, days)
        level = build_settings.read(connection).level
    console.write(terminal.shown(answer, terminal.TRENDS, output, level))


@click.command()
@click.argument("task_type", required=False)
@reading_options
@click.pass_obj
def candidates(db: Path, task_type: str | None, output: str | None) -> None:
    """Show which models to keep, replace or try.

    One recommendation for each task type, as of the last build.
    """
    from model_outcomes.answers import queries, terminal

    with built(db) as connection:
        queries.expect_task_type(connection, task_type)
        answer = queries.recommendations(connection, task_type)
    console.write(terminal.shown(answer, terminal.RECOMMENDATIONS, output))


@click.command()
@click.argument("incumbent")
@click.argument("challenger")
@click.option("--task-type", required=True, help="The task type at which to compare.")
@click.option("--since", help="Use outcomes at or after this time, such as 2026-01-31 or 2026-01-31T12:00:00Z.")
@click.option("--until", help="Use outcomes before this time.")
@reading_options
@click.pass_obj
def compare(db: Path, incumbent: str, challenger: str, task_type: str, since: str | None, until: str | None,
            output: str | None) -> None:  # fmt: skip
    """Compare two models at a task type.

    From the log as it is now. The interval is valid for one look, at a time chosen before the data.
    """
    from model_outcomes.answers import build_settings, comparison, queries, terminal

    with built(db) as connection:
        queries.expect_task_type(connection, task_type)
        answer = comparison.compare(connection, incumbent, challenger, task_type, since=since, until=until)
        settings = build_settings.read(connection)
    console.write(terminal.comparison(answer, comparison.arms(answer, settings.z), output, settings.level))
