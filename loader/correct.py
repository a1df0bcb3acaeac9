"""The command that corrects the verdict of a recorded outcome."""

from __future__ import annotations

from pathlib import Path

import click

from loader.connections import DURABILITY
from model_outcomes.base import console
from model_outcomes.base.errors import NotKeptError, OutcomesError


@click.command()
@click.argument("event_id", required=False)
@click.option("--success", "verdict", flag_value="success", help="The attempt succeeded.")
@click.option("--failure", "verdict", flag_value="failure", help="The attempt failed.")
@click.option("--void", "verdict", flag_value="void", help="The attempt counts nowhere.")
@click.option("--reason", help="Why the verdict changes.")
@click.option("--corrected-by", help="Person or program that corrects it.")
@click.option("--outcome-id", type=int, help="Number of the outcome in the log, if it has no event_id.")
@DURABILITY
@click.pass_obj
def correct(
    db: Path, /, event_id: str | None, verdict: str | None, reason: str | None, corrected_by: str | None,
    outcome_id: int | None, durability: str | None,
) -> None:  # fmt: skip
    """Change the verdict of an outcome.

    EVENT_ID names the outcome. The log keeps the first verdict, and the latest correction counts in all figures. If the
    log cannot be written, the correction waits in a spool for `loader drain`.
    """
    from model_outcomes.log import corrections, file_identity, spool
    from model_outcomes.log.recorder import Recorder

    if verdict is None:
        raise OutcomesError("the verdict is missing: give --success, --failure or --void")
    if (event_id is None) == (outcome_id is None):
        raise OutcomesError("name one outcome: give its EVENT_ID, or --outcome-id")
    correction = corrections.from_values(
        {"verdict": verdict, "event_id": event_id, "outcome_id": outcome_id, "reason": reason,
         "corrected_by": corrected_by}
    )  # fmt: skip
    name = event_id or f"outcome {outcome_id}"
    recorder = Recorder(db, durability)
    previous = None
    try:
        previous = recorder.ask(lambda connection: corrections.current_verdict(connection, correction))
    except OutcomesError as fault:
        if db.parent.is_dir() and not file_identity.exists(db):
            raise
        recorder.trouble = fault
    else:
        if previous is None and (outcome_id is not None or not spool.waiting_files(db)):
            raise OutcomesError(f"no outcome has the event_id {event_id}" if event_id else f"there is no {name}")
    try:
        spooled = recorder.keep(correction)
        recorder.close()
    except NotKeptError as fault:
        console.say(fault.outcome, err=True)
        raise
    if spooled:
        trouble = recorder.trouble or f"no outcome has the event_id {event_id} yet"
        console.say(f"Warning: {trouble}; kept in {spooled} for `loader drain`", err=True)
    elif previous == verdict:
        console.say(f"{name}: is {verdict} already")
    else:
        console.say(f"{name}: {previous} -> {verdict}")
