"""Corrections change the verdict of a recorded outcome. The log keeps the first verdict; the latest correction counts.

A correction that names the verdict which counts already adds nothing, so a retry is harmless.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from model_outcomes.base import clock, messages
from model_outcomes.base.messages import Fault, short, short_name
from model_outcomes.log.outcome import SURROGATE, InvalidOutcome, Name

Verdict = Literal["success", "failure", "void"]
Reason = Annotated[str, Meta(min_length=1, max_length=4_000)]
SOURCE = "loader load"  # corrected_by of a verdict that changed in a source file


class Correction(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The verdict of one outcome from now on. `void`: the outcome counts nowhere.

    The outcome is named by its `event_id`, by the number `outcome_id` that it has in the log, or by both.
    `corrected_at` None is now.
    """

    verdict: Verdict
    event_id: Name | None = None
    outcome_id: Annotated[int, Meta(ge=1, le=2**63 - 1)] | None = None
    reason: Reason | None = None
    corrected_at: Annotated[datetime, Meta(tz=True)] | None = None
    corrected_by: Name | None = None

    def row(self) -> tuple[Any, ...]:
        """Return the values of INSERT."""
        moment = self.corrected_at or datetime.now(timezone.utc)
        return self.outcome_id, self.event_id, self.verdict, self.reason, clock.to_text(moment), self.corrected_by


class UnknownOutcome(InvalidOutcome):
    """No outcome in the log has the name that a correction gives."""


FIELDS = tuple(field.name for field in msgspec.structs.fields(Correction))
OF_OUTCOMES = ("success", "task_type", "model_id")  # a line with one of these is an outcome
# The number of the outcome that ?1 (its number) or ?2 (its event_id) names, or both; null without one.
_OUTCOME = (
    "coalesce((select id from model_outcomes where id = ?1 and (?2 is null or event_id = ?2)),"
    " (select id from model_outcomes where ?1 is null and event_id = ?2))"
)
_VERDICT = f"""
coalesce(
    (select verdict from outcome_corrections where outcome_id = {_OUTCOME} order by correction_id desc limit 1),
    (select case when success = 1 then 'success' else 'failure' end from model_outcomes where id = {_OUTCOME})
)
"""
INSERT = f"""
insert into outcome_corrections (outcome_id, event_id, verdict, reason, corrected_at, corrected_by)
select ?1, ?2, ?3, ?4, ?5, ?6
where {_VERDICT} is not ?3
"""
_decoder = msgspec.json.Decoder(Correction)


def current_verdict(connection: sqlite3.Connection, correction: Correction) -> Verdict | None:
    """Return the verdict that counts for the outcome that a correction names, None if there is no such outcome."""
    query = f"select {_VERDICT}"
    verdict: Verdict | None = connection.execute(query, (correction.outcome_id, correction.event_id)).fetchone()[0]
    return verdict


def of_success(success: bool) -> Verdict:
    """Return a flag of success as a verdict."""
    return "success" if success else "failure"


def from_values(values: dict[str, Any]) -> Correction:
    """Return Python's values by name as a correction that is made now. None is absent. Raises InvalidOutcome."""
    present = {name: value for name, value in values.items() if value is not None}
    return parse_fields({**present, "corrected_at": datetime.now(timezone.utc)})


def parse_line(line: bytes) -> Correction | None:
    """Return the correction that a JSON line holds, None if it is something else. Raises InvalidOutcome with its
    faults."""
    if b'"verdict"' not in line:
        return None
    try:
        return check(_decoder.decode(line))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    try:
        fields = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None  # the reader of outcomes names the fault
    return parse_fields(fields) if isinstance(fields, dict) and are_of_correction(fields) else None


def are_of_correction(names: Mapping[str, Any] | list[str]) -> bool:
    """Return True if an object or a header with these names is a correction, not an outcome."""
    return "verdict" in names and not any(name in names for name in OF_OUTCOMES)


def parse_fields(values: Mapping[str, Any], *, strict: bool = True) -> Correction:
    """Return values by name as a correction. `strict` is false for texts. Raises InvalidOutcome with all faults."""
    faults = [Fault("is no known field of a correction", short_name(name)) for name in values if name not in FIELDS]
    converted = {}
    for field in msgspec.structs.fields(Correction):
        value = values.get(field.name)
        if value is None:
            continue
        try:
            is_strict = strict or field.name == "corrected_at"
            converted[field.name] = msgspec.convert(value, field.type, strict=is_strict)
        except (msgspec.ValidationError, UnicodeEncodeError) as fault:
            faults.append(Fault(_problem(field.name, fault), field.name, short(value)))
    if "verdict" not in values:
        faults.append(Fault("is missing", "verdict"))
    if faults:
        raise InvalidOutcome(faults)
    return check(Correction(**converted))


def check(correction: Correction) -> Correction:
    """Return the correction. Raises InvalidOutcome if it has faults that types do not show."""
    faults = []
    if correction.event_id is None and correction.outcome_id is None:
        faults.append(Fault("names no outcome: give its event_id or its outcome_id"))
    for name in ("event_id", "reason", "corrected_by"):
        if SURROGATE.search(getattr(correction, name) or ""):
            faults.append(Fault("is not Unicode text", name))
    if faults:
        raise InvalidOutcome(faults)
    return correction


def _problem(name: str, fault: Exception) -> str:
    if name == "verdict":
        return f"expected {', '.join(get_args(Verdict)[:-1])} or {get_args(Verdict)[-1]}"
    if name == "corrected_at":
        return "expected a time such as 2026-01-31T12:00:00Z"
    if isinstance(fault, msgspec.ValidationError):
        return messages.mismatch(fault).problem
    return "is not Unicode text"
