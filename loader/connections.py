"""The log, opened for a command, and the options that commands share."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from model_outcomes.base import console, engines
from model_outcomes.base.connection import Connection
from model_outcomes.base.errors import EXIT_REJECTED, OutcomesError
from model_outcomes.log import file_identity, store

if TYPE_CHECKING:
    from model_outcomes.answers import queries

Answer = TypeVar("Answer")

SETTINGS_FAULT = "loader.settings_fault"  # the key of the fault of outcomes.toml in the context's `meta`

DURABILITY = click.option("--durability", type=click.Choice(store.DURABILITIES),
                          help="A commit survives a power failure (full), or only a killed process (normal)."
                          "  [env var: OUTCOMES_DURABILITY; default: full]")  # fmt: skip

TARGET = click.option("--target", type=click.Choice(engines.TARGETS), default=engines.SQLITE,
                      envvar="OUTCOMES_TARGET", show_default=True, show_envvar=True,
                      help="Engine of the build (see docs/guides/engines.md).")  # fmt: skip

MAX_REJECTS = click.option("--max-rejects", type=click.IntRange(min=0), default=0, show_default=True,
                           help="Exit 3 if more lines than this are rejected.")  # fmt: skip


class Number(click.FloatRange):
    """Numbers of a range. Click accepts NaN in any range."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        return self.fail(f"{value!r} is no number.", param, ctx) if math.isnan(number) else number


@contextmanager
def _opened(db: Path, connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    with closing(connection), store.plain_faults(db):
        yield connection


def log(db: Path, durability: str | None = None) -> AbstractContextManager[sqlite3.Connection]:
    """Open the log to write to it. Create it if it is missing."""
    return _opened(db, store.create_or_open(db, durability=durability))


def existing_log(db: Path) -> AbstractContextManager[sqlite3.Connection]:
    """Open an existing log to write to it."""
    return _opened(db, store.open_to_change(db))


@contextmanager
def built(db: Path) -> Iterator[sqlite3.Connection]:
    """Open an existing log or published snapshot to query the marts. Nothing in it can be changed."""
    with _opened(db, store.open_existing(db)) as connection, file_identity.naming_damage(db, connection):
        yield connection


def built_on(target: str, db: Path) -> AbstractContextManager[Connection]:
    """Open the marts that were built on an engine from the log."""
    if target == engines.SQLITE:
        return built(db)
    from model_outcomes.warehouse.engines import connections

    return connections.opened(db, target)


def asked(db: Path, question: Callable[[sqlite3.Connection], Answer]) -> tuple[Answer, str | None]:
    """Return the log's answer, and None. If the log cannot answer, warn in one line, and return the answer of the last
    published snapshot, and its time of publication."""
    try:
        with built(db) as connection:
            return question(connection), None
    except OutcomesError as fault:
        from model_outcomes.answers import fallback

        answer, snapshot_at = fallback.from_snapshot(db, question, fault)
        console.say(f"Warning: {fault}; the snapshot of {snapshot_at} answers instead", err=True)
        return answer, snapshot_at


def answered(db: Path, question: Callable[[sqlite3.Connection], queries.Answer]) -> queries.Answer:
    """Return the rows as `asked`, each with the time of the snapshot's publication in `snapshot_at`."""
    answer, snapshot_at = asked(db, question)
    return [{**row, "snapshot_at": snapshot_at} for row in answer]


def expect_few_rejects(count: int, max_rejects: int) -> None:
    """Exit 3, with a message, if more lines were rejected than `max_rejects`."""
    if count > max_rejects:
        console.say(f"Error: {count:,} rejected, --max-rejects is {max_rejects:,}", err=True)
        raise click.exceptions.Exit(EXIT_REJECTED)
