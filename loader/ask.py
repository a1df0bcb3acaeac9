"""Commands that answer questions: a table for people, every column as JSON or CSV for programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import click

from loader.connections import TARGET, asked, built, built_on
from model_outcomes.base import console, engines
from model_outcomes.base.connection import Connection
from model_outcomes.base.errors import OutcomesError

SINCE = click.option("--since", help="Use outcomes at or after this time, such as 2026-01-31 or 2026-01-31T12:00:00Z.")


def reading_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options --json and --csv to a command."""
    command = click.option("--csv", "output", flag_value="csv", help="Print every column as CSV.")(command)
    return click.option("--json", "output", flag_value="json", help="Print every column as JSON.")(command)


def period_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options --since and --days to a command."""
    command = click.option("--days", type=click.IntRange(min=1), help="Use outcomes of this number of days, up to the"
                           " last one with an outcome.")(command)  # fmt: skip
    return SINCE(command)


@click.command()
@click.argument("task_type", required=False)
@click.option("--by", metavar="KEYS", help="Split by agent, effort, variant or keys of the attributes: agent,team.")
@period_options
@reading_options
@TARGET
@click.pass_obj
def stats(db: Path, task_type: str | None, by: str | None, since: str | None, days: int | None, output: str | None,
          target: str) -> None:  # fmt: skip
    """Show the totals of every model.

    For one task type, or for all. With --by, --since or --days, opening balances are left out: they have no time.
    """
    from model_outcomes.answers import build_settings, groups, period, queries, terminal

    keys = [key.strip() for key in by.split(",")] if by else []
    first_moment = None
    with _of_the_log(db, target, {"--by": by, "--since": since, "--days": days}) as connection:
        queries.expect_task_type(connection, task_type)
        if since is not None or days is not None:
            first_moment = period.start(connection, since, days)
        if keys:
            answer = groups.stats(connection, keys, task_type, first_moment)
        else:
            answer = queries.stats(connection, task_type, first_moment)
        level = build_settings.read(connection).level
    columns = terminal.grouped([groups.heading(key) for key in keys]) if keys else terminal.STATS
    console.write(terminal.shown(answer, columns, output, level, since=first_moment))


def _of_the_log(db: Path, target: str, options: Mapping[str, object]) -> AbstractContextManager[Any]:
    """Open the marts. Options that read the log itself allow no other engine."""
    for option, value in options.items():
        if value is not None and target != engines.SQLITE:
            raise OutcomesError(f"{option} reads the log: leave out --target {target}")
    return built_on(target, db)


@click.command()
@click.argument("task_type")
@click.option("--min-samples", type=click.IntRange(min=0),
              help="Leave out models with fewer trials than this.  [default: the build's min_samples, 3]")  # fmt: skip
@click.option("--by", metavar="KEYS", help="Rank by agent, effort or variant too, as of the last build: agent,effort.")
@period_options
@reading_options
@TARGET
@click.pass_obj
def rank(db: Path, task_type: str, min_samples: int | None, by: str | None, since: str | None, days: int | None,
         output: str | None, target: str) -> None:  # fmt: skip
    """Rank the models at a task type.

    The best is first: the one with the highest lower end of the interval of its success rate. `retired` marks a model
    that was not tried for a long time. With --by agent, lines below the table say how much of the difference between
    two agents is their own. With --since or --days, opening balances are left out: they have no time.
    """
    from model_outcomes.answers import build_settings, configurations, period, queries, terminal

    keys = configurations.keys_of(by) if by is not None else []
    notes: list[str] = []
    has_period = since is not None or days is not None
    if keys and has_period:
        raise OutcomesError("--by ranks all outcomes, as of the last build: leave out --since and --days")

    def question(connection: Connection, first_moment: str | None = None) -> tuple[queries.Answer, str]:
        queries.expect_task_type(connection, task_type)
        level = build_settings.read(connection).level
        if not keys:
            return queries.ranked_models(connection, task_type, min_samples, first_moment), level
        if "agent" in keys:
            notes[:] = configurations.agent_notes(connection, task_type)
        return configurations.ranked(connection, task_type, keys, min_samples), level

    first_moment = None
    if has_period:
        with _of_the_log(db, target, {"--since": since, "--days": days}) as connection:
            first_moment = period.start(connection, since, days)
            answer, level = question(connection, first_moment)
    elif target == engines.SQLITE:
        (answer, level), snapshot_at = asked(db, question)
        answer = [{**row, "snapshot_at": snapshot_at} for row in answer]
    else:
        with built_on(target, db) as connection:
            answer, level = question(connection)
    console.write(terminal.shown(answer, terminal.ranking(keys), output, level, since=first_moment))
    if notes and not output:
        console.write("\n".join(["", *notes]))


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
@SINCE
@click.option("--until", help="Use outcomes before this time.")
@reading_options
@click.pass_obj
def compare(db: Path, incumbent: str, challenger: str, task_type: str, since: str | None, until: str | None,
            output: str | None) -> None:  # fmt: skip
    """Compare two models at a task type.

    From the log as it is now: by the same tasks, or on the same days, under the same agent, effort and variant. The
    interval is valid at every look. Below it is the plain difference, with an interval for one look.
    """
    from model_outcomes.answers import build_settings, comparison, queries, terminal

    with built(db) as connection:
        queries.expect_task_type(connection, task_type)
        answer = comparison.compare(connection, incumbent, challenger, task_type, since=since, until=until)
        settings = build_settings.read(connection)
    console.write(terminal.comparison(answer, comparison.arms(answer, settings.z), output, settings.level))
