"""The options of `loader load` that map the fields of a file of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from model_outcomes.base.settings import LoadTable

OPTIONS = (
    click.option("--map", "maps", multiple=True, metavar="FIELD=COLUMN,...",
                 help="Columns of the file, or paths in its JSON, that are fields of an outcome."),
    click.option("--success", metavar="COLUMN=VALUE", help="A row with this value succeeded."),
    click.option("--timeout", metavar="COLUMN=VALUE", help="A row with this value timed out."),
    click.option("--zone", metavar="ZONE", help="Zone of times without an offset: Europe/Berlin."),
    click.option("--unit", "units", multiple=True, metavar="FIELD=UNIT,...",
                 help="Unit of duration, cost or timestamp: duration=seconds."),
    click.option("--task-type", metavar="NAME", help="Task type of rows that have none."),
    click.option("--model-id", metavar="NAME", help="Model of rows that have none."),
    click.option("--timestamp", metavar="TIME", help="Time of rows that have none."),
    click.option("--with", "table", metavar="NAME", help="Use the table [load.NAME] of outcomes.toml."),
)  # fmt: skip


def map_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def load_table(how: dict[str, Any]) -> LoadTable | None:
    """Take the options out of `how`, and return them over the table that --with names; None without any of them.

    Raises OutcomesError.
    """
    from model_outcomes.base import settings
    from model_outcomes.intake.field_map import pairs_of

    maps, units, name = how.pop("maps"), how.pop("units"), how.pop("table")
    columns = {field: how.pop(field) for field in ("task_type", "model_id", "timestamp")}
    rules = {key: how.pop(key) for key in ("success", "timeout", "zone")}
    if not (name or maps or units or any(columns.values()) or any(rules.values())):
        return None
    table = settings.load_table(name) if name else settings.LoadTable()
    return settings.LoadTable(
        map={**table.map, **pairs_of(maps, "--map")},
        unit={**table.unit, **pairs_of(units, "--unit")},
        columns={**table.columns, **{field: text for field, text in columns.items() if text}},
        **{key: text or getattr(table, key) for key, text in rules.items()},
    )
