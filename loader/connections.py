"""Open the log for a command."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click

from model_outcomes.base import console, engines
from model_outcomes.base.connection import Connection
from model_outcomes.base.errors import OutcomesError
from model_outcomes.log import file_identity, store

Answer = TypeVar("Answer")

SETTINGS_FAULT = "loader.settings_fault"  # in the context's `meta`: what is wrong with outcomes.toml
REJECTED = 3  # the exit code where more was refused than is allowed

DURABILITY = click.option("--durability", type=click.Choice(store.DURABILITIES),
                          help="What a commit survives: a power failure (full), or a killed process only."
                          "  [env var: OUTCOMES_DURABILITY; default: full]")  # fmt: skip

TARGET = click.option("--target", type=click.Choice(engines.TARGETS), default=engines.SQLITE,
                      envvar="OUTCOMES_TARGET", show_default=True, show_envvar=True,
                      help="The engine that builds: docs/outgrowing.md.")  # fmt: skip


class Number(click.FloatRange):
    """Numbers of a range; click takes nan for one of any."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        return self.fail(f"{value!r} is no number.", param, ctx) if math.isnan(number) else number


@contextmanager
def log(db: Path, durability: str | None = None) -> Iterator[sqlite3.Connection]:
    """Yield the log, open for writing; made where it is missing."""
    connection = store.create_or_open(db, durability=durability)
    try:
        with store.plain_faults(db):
            yield connection
    finally:
        connection.close()


@contextmanager
def existing_log(db: Path) -> Iterator[sqlite3.Connection]:
    """Open a log that exists, to write to it."""
    connection = store.open_to_change(db)
    try:
        with store.plain_faults(db):
            yield connection
    finally:
        connection.close()


@contextmanager
def built(db: Path) -> Iterator[sqlite3.Connection]:
    """Open a log that exists, or a published snapshot, to ask the marts. Nothing in it can be changed."""
    connection = store.open_existing(db)
    try:
        with store.plain_faults(db), file_identity.naming_damage(db, connection):
            yield connection
    finally:
        connection.close()


def built_on(target: str, db: Path) -> AbstractContextManager[Connection]:
    """Return what was built on an engine from the log, to ask the marts."""
    if target == engines.SQLITE:
        return built(db)
    from model_outcomes.warehouse.engines import connections

    return connections.opened(db, target)


def asked(db: Path, question: Callable[[sqlite3.Connection], Answer]) -> tuple[Answer, str | None]:
    """Return the log's answer and None. If the log cannot answer, warn in one line, and return the answer of the last
    published snapshot and the time of its publication."""
    try:
        with built(db) as connection:
            return question(connection), None
    except OutcomesError as fault:
        from model_outcomes.answers import fallback

        answer, snapshot_at = fallback.from_snapshot(db, question, fault)
        console.say(f"Warning: {fault}; the snapshot of {snapshot_at} answers instead", err=True)
        return answer, snapshot_at
