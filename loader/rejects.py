"""The command rejects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from loader.connections import built, existing_log
from model_outcomes.base import console, messages

TEXT_CHARACTERS = 90


class _Load(click.ParamType):  # type: ignore[type-arg]
    name = "load"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "all" or isinstance(value, int):
            return value
        if not value.isascii() or not value.isdigit() or len(value) > 18:
            self.fail(f"{messages.short(value)} is neither the number of a load nor all.", param, ctx)
        return int(value)


@click.command()
@click.option("--forget", type=_Load(), metavar="LOAD", help="Forget the rejected lines of a load, or of all.")
@click.pass_obj
def rejects(db: Path, forget: int | str | None) -> None:
    """List rejected lines by load, or forget them.

    They stay in the table rejected_outcomes, and `loader run` and `loader doctor` name them, until they are forgotten.
    """
    from model_outcomes.intake import rejects

    if forget is not None:
        with existing_log(db) as log:
            lines = rejects.forget(log, None if forget == "all" else int(forget))
        console.say(f"{lines:,} rejected lines forgotten")
        return
    with built(db) as log:
        loads, total = rejects.listing(log)
    for load in loads:
        console.say(f"load {load.load_id}: {load.source}, {load.loaded_at[:19]}Z, {load.count:,} rejected")
        for reason in messages.reason_lines(load.reasons):
            console.say(f"  {reason}")
        for number, text in load.lines:
            place = f"line {number:,}: " if number else ""
            console.say(f"  {place}{console.printable(text[:TEXT_CHARACTERS])}")
    if total > len(loads):
        console.say(f"and {total - len(loads):,} more loads")
    if not loads:
        console.say("no rejected lines")
    else:
        console.say("Load the mended file again, then forget the lines: loader rejects --forget LOAD")
