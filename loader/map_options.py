"""The options of `loader load` that map the fields of a file of one's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click
import msgspec

if TYPE_CHECKING:
    from model_outcomes.base.settings import LoadSettings

OPTIONS = (
    click.option("--map", "maps", multiple=True, metavar="FIELD=COLUMN,...",
                 help="Columns of the file, or paths in its JSON, that are fields of an outcome."),
    click.option("--success", metavar="COLUMN=VALUE", help="A row with this value succeeded."),
    click.option("--timeout", metavar="COLUMN=VALUE", help="A row with this value timed out."),
    click.option("--unit", "units", multiple=True, metavar="FIELD=UNIT,...",
                 help="Unit of duration, cost or timestamp: duration=seconds."),
    click.option("--with", "table", metavar="NAME", help="Use the table [load.NAME] of outcomes.toml."),
)  # fmt: skip


def map_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def load_table(how: dict[str, Any], values: dict[str, Any]) -> LoadSettings:
    """Take the options out of `how`, and return them over the table that --with names.

    `values` has those of --task-type, --model-id, --timestamp and --zone. Raises OutcomesError.
    """
    from model_outcomes.base import settings
    from model_outcomes.intake.field_map import pairs_of

    maps, units, name = how.pop("maps"), how.pop("units"), how.pop("table")
    texts = {key: how.pop(key) for key in ("success", "timeout")}
    texts |= {key: values[key] for key in ("task_type", "model_id", "timestamp", "zone")}
    table = settings.named_load(name) if name else settings.LoadSettings()
    return msgspec.structs.replace(
        table,
        map={**table.map, **pairs_of(maps, "--map")},
        unit={**table.unit, **pairs_of(units, "--unit")},
        **{key: text for key, text in texts.items() if text},
    )
