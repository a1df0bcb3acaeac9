"""The definition of an outcome: one struct, from which decoding, validation and its messages follow.

A line that is right is decoded and validated in one step by msgspec. Only a line that is not is
looked at again, field by field, so that *every* fault in it can be named.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import re
import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import Annotated, Any, Literal, NoReturn

import msgspec
from msgspec import Meta

from model_outcomes.base.errors import OutcomesError

Name = Annotated[str, Meta(min_length=1, max_length=500)]
TOKENS_LIMIT = 10**12
Token = Annotated[int, Meta(ge=0, le=TOKENS_LIMIT)]
Flag = bool
NAMES_KEPT = 20  # unknown fields that a message names
LONGEST_SLIP = 60  # characters of a name that may be a slip of a known one

# The columns of the log that an outcome fills, in the order of `Outcome.row()`.
COLUMNS = (
    "task_type",
    "model_id",
    "success",
    "timeout",
    "tokens_used",
    "cost_usd",
    "timestamp",
    "event_id",
    "task_id",
    "experiment_id",
    "recorded_by",
    "duration_ms",
    "input_tokens",
    "output_tokens",
    "error_type",
    "cost_source",
)
INSERT = f"insert into model_outcomes ({', '.join(COLUMNS)}) values ({', '.join('?' * len(COLUMNS))})"


class Outcome(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One attempt of one model at one task. Costs in US dollars, durations in milliseconds.

    An absent `cost_usd` is an unknown cost, an explicit 0 a known one; `tokens_used` absent is
    the sum of input and output tokens where both are known, else unknown.
    """

    task_type: Name
    model_id: Name
    success: Flag
    timestamp: Annotated[datetime, Meta(tz=True)]
    timeout: Flag | None = None
    tokens_used: Token | None = None
    cost_usd: Annotated[float, Meta(ge=0, le=1e6)] | None = None
    event_id: Name | None = None
    task_id: Name | None = None
    experiment_id: Name | None = None
    recorded_by: Name | None = None
    duration_ms: Token | None = None
    input_tokens: Token | None = None
    output_tokens: Token | None = None
    error_type: Name | None = None
    cost_source: Literal["provider", "local"] | None = None

    def faults(self, horizon: datetime | None) -> list[str]:
        """Return what is wrong across fields; `horizon` is the first moment that is too far ahead, None for no
        limit."""
        faults = []
        for name, text in (("task_type", self.task_type), ("model_id", self.model_id)):
            if text.isspace():
                faults.append(f"{name}: is blank")
            elif "\0" in text:
                faults.append(f"{name}: holds a NUL character")
        if self.success and self.timeout:
            faults.append("timeout: true contradicts success: true")
        if self.tokens_used and (self.input_tokens or self.output_tokens):
            parts = (self.input_tokens or 0) + (self.output_tokens or 0)
            if self.tokens_used < min(parts, TOKENS_LIMIT):
                faults.append(f"tokens_used: {self.tokens_used} is below input_tokens + output_tokens ({parts})")
        if horizon is not None and self.timestamp > horizon:
            faults.append("timestamp: more than a day ahead of now")
        elif self.timestamp < EARLIEST:
            faults.append("timestamp: before 1970")
        return faults

    def row(self) -> tuple[Any, ...]:
        """Return the values of `COLUMNS`."""
        tokens, cost, source = self.tokens_used, self.cost_usd, self.cost_source
        if tokens is None:
            tokens = 0
            if self.input_tokens is not None and self.output_tokens is not None:
                tokens = min(self.input_tokens + self.output_tokens, TOKENS_LIMIT)
        if cost is None:
            cost, source = 0.0, None
        elif source is None:
            source = "provider"
        return (
            self.task_type,
            self.model_id,
            self.success,
            self.timeout or False,
            tokens,
            cost,
            _utc_text(self.timestamp),
            self.event_id,
            self.task_id,
            self.experiment_id,
            self.recorded_by,
            self.duration_ms,
            self.input_tokens,
            self.output_tokens,
            self.error_type,
            source,
        )


FIELDS = {field.name: field for field in msgspec.structs.fields(Outcome)}
REQUIRED = tuple(name for name, field in FIELDS.items() if field.required)
FLAGS = ("success", "timeout")
TEXTS = ("task_type", "model_id", "event_id", "task_id", "experiment_id", "recorded_by", "error_type")
EARLIEST = datetime(1970, 1, 1, tzinfo=timezone.utc)
CAMEL_CASE = {re.sub("_([a-z])", lambda found: found[1].upper(), name): name for name in FIELDS}
_decoder = msgspec.json.Decoder(Outcome)
# Stands in for what is wrong, so that the faults across fields can be found as well.
_HARMLESS: dict[str, Any] = {"task_type": "-", "model_id": "-", "success": False, "timestamp": EARLIEST}
_SURROGATE = re.compile("[\ud800-\udfff]")
_process = 0, ""  # its id, and random bits
_numbers = itertools.count()
_PLAIN_TYPES = frozenset((str, int, float, bool, datetime, type(None)))
_WITHOUT_SECONDS = re.compile(r"(\d{4}-\d\d-\d\d[T ]\d\d:\d\d)(Z|[+-]\d\d:\d\d)")


class InvalidOutcome(OutcomesError, ValueError):
    """An input that is no outcome; `reasons` names every fault in it."""

    def __init__(self, reasons: list[str]) -> None:
        super().__init__("; ".join(reasons))
        self.reasons = reasons


def _utc_text(moment: datetime) -> str:
    """Return `moment` as clock.to_text writes it, in a fourteenth of the time: rows are made by the million."""
    if moment.tzinfo is not timezone.utc:
        moment = moment.astimezone(timezone.utc)
    text: str = msgspec.to_builtins(moment)
    return text if len(text) == 27 else f"{text[:19]}.000000Z"  # a whole second comes without fraction


def horizon(now: datetime) -> datetime:
    """Return the moment after which a timestamp is refused: a day ahead, for clocks that run fast."""
    return now + timedelta(days=1)


def decode_lines(block: bytes) -> list[Outcome]:
    """Return the outcomes of whole JSON Lines, all or none: msgspec's errors where one is not right."""
    outcomes = _decoder.decode_lines(block)
    # msgspec also takes two objects on one line, and one object on several.
    if len(outcomes) != block.count(b"\n") + (not block.endswith(b"\n")):
        raise msgspec.DecodeError("not one object a line")
    return outcomes


def short_name(name: str) -> str:
    """Return a name from outside for a message: at most 60 characters, and text."""
    text = short(name)
    return text[1:-1] if text.endswith('"') else text[1:]


def near_miss(name: str) -> str | None:
    """Return the field that somebody who wrote `name` may have meant."""
    from difflib import get_close_matches

    if len(name) > LONGEST_SLIP:
        return None
    plain = re.sub("[^a-z]", "", name.lower())
    squeezed = {field.replace("_", ""): field for field in FIELDS}
    close = [known for known in squeezed if len(plain) > 3 and known.startswith(plain)]
    close = close or get_close_matches(plain, squeezed, n=1, cutoff=0.8)
    return squeezed[close[0]] if close else None


def suggestion(name: str) -> str:
    """Return `near_miss` as the end of a message, nothing if there is none."""
    found = near_miss(name)
    return f"; {found} is one" if found else ""


@dataclasses.dataclass
class UnknownFields:
    """Fields that were ignored: the first 20 names with their counts, and of further names `others` fields.

    A file may have as many names as it has lines."""

    counts: dict[str, int] = dataclasses.field(default_factory=dict)
    others: int = 0

    def add(self, name: str) -> None:
        name = short_name(name)
        if name in self.counts:
            self.counts[name] += 1
        elif len(self.counts) < NAMES_KEPT:
            self.counts[name] = 1
        else:
            self.others += 1


def parse_json(line: bytes, unknown: UnknownFields | None = None, *, refuses_unknown: bool = False) -> Outcome:
    """Return one JSON object as an outcome; raises InvalidOutcome with all its faults.

    Names of fields that are not known are counted in `unknown`, or are faults.
    """
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    return parse_fields(json_object(line), unknown, refuses_unknown=refuses_unknown)


def from_values(values: dict[str, Any]) -> Outcome:
    """Return Python's values, by the names of FIELDS, as an outcome.

    None is absent. An absent `timestamp` is set to now, an absent `event_id` to a new one, so that an outcome
    that is written twice, to the log and to a spool, still counts once. Scalars of numpy and pandas, and
    Decimals, are taken by value. Raises InvalidOutcome with all faults but `not_unicode`, which writing finds.
    """
    limit = None
    if values["timestamp"] is None:
        values["timestamp"] = datetime.now(timezone.utc)
    else:
        limit = horizon(datetime.now(timezone.utc))
    if values["event_id"] is None:
        values["event_id"] = new_event_id()
    try:
        outcome = msgspec.convert(values, Outcome)
    except (msgspec.ValidationError, UnicodeEncodeError):
        present = {name: value for name, value in values.items() if value is not None or name == "success"}
        outcome = parse_fields({name: by_value(value) for name, value in present.items()})
    return check(outcome, limit)


def from_row(row: tuple[Any, ...]) -> Outcome:
    """Return a row of the log, the values of COLUMNS, as the outcome that became it."""
    values = dict(zip(COLUMNS, row, strict=True))
    if values["cost_source"] is None and not values["cost_usd"]:
        values["cost_usd"] = None
    time_text = values["timestamp"]
    if not time_text.endswith("Z") and time_text[-6] not in "+-":
        values["timestamp"] = f"{time_text}Z"
    known = {name: value for name, value in values.items() if value is not None}
    return parse_fields({**known, "tokens_used": known["tokens_used"] or None})  # 0 is unknown


def new_event_id() -> str:
    """Return a name for an outcome that no other has: the time in nanoseconds, so that the log's index grows at its
    end, a number, and random bits of this process."""
    global _process
    pid = os.getpid()
    if _process[0] != pid:  # a fork has what its parent had
        _process = pid, os.urandom(5).hex()
    return f"{time.time_ns():x}-{next(_numbers):x}-{_process[1]}"


def by_value(value: Any) -> Any:
    """Return the plain Python value of a scalar of another library or of a subclass, anything else as it is."""
    if type(value) in _PLAIN_TYPES:
        return value
    item = getattr(value, "item", None)  # numpy's and pandas' scalars, and arrays of one element
    if callable(item):
        try:
            value = item()
        except (TypeError, ValueError):
            return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime):
        return datetime.combine(value.date(), value.timetz())
    return value


def not_unicode(found: Outcome) -> InvalidOutcome:
    """Return the fault of an outcome that cannot be encoded: a field has half a surrogate pair, which is not text."""
    texts = ((name, getattr(found, name)) for name in TEXTS)
    return InvalidOutcome([f"{name}: is not Unicode text" for name, text in texts if text and _SURROGATE.search(text)])


def parse_fields(
    values: Mapping[str, Any], unknown: UnknownFields | None = None, *, refuses_unknown: bool = False
) -> Outcome:
    """Return a mapping as an outcome, as forgiving as JSON from other languages needs: camelCase names,
    0 and 1 as flags, whole floats as integers, times without seconds."""
    faults: list[str] = []
    known: dict[str, Any] = {}
    refused_count = 0
    for key, value in values.items():
        name = key if key in FIELDS else CAMEL_CASE.get(key)
        if name is None:
            refused_count += refuses_unknown
            if refuses_unknown and refused_count <= NAMES_KEPT:
                faults.append(f"{short_name(key)}: is no known field{suggestion(key)}")
            elif unknown is not None:
                unknown.add(key)
        elif name in known:
            faults.append(f"{name}: given twice")
        else:
            known[name] = _coerced(name, value)
    if refused_count > NAMES_KEPT:
        faults.append(f"{refused_count - NAMES_KEPT:,} more fields are not known")
    return _checked(known, faults, strict=True)


def parse_texts(values: Mapping[str, str]) -> Outcome:
    """Return texts by column name (a CSV row) as an outcome; empty ones are absent."""
    known = {name: _coerced(name, text) for name, text in values.items() if text != ""}
    return _checked(known, [], strict=False)


def parse_time(text: str) -> datetime:
    """Return a time with an offset; raises InvalidOutcome if the text is none."""
    try:
        moment: datetime = msgspec.convert(_coerced("timestamp", text), FIELDS["timestamp"].type)
    except msgspec.ValidationError as fault:
        raise InvalidOutcome([f"{_plain('timestamp', str(fault))}, got {short(text)}"]) from None
    return moment


def check(outcome: Outcome, horizon: datetime | None) -> Outcome:
    """Return the outcome itself, or InvalidOutcome with what is wrong across its fields."""
    faults = outcome.faults(horizon)
    if faults:
        raise InvalidOutcome(faults)
    return outcome


def _coerced(name: str, value: Any) -> Any:
    if name in FLAGS and type(value) is int and value in (0, 1):
        return bool(value)
    if type(value) is float and value.is_integer() and name not in ("cost_usd", *FLAGS):
        return int(value)
    if name == "timestamp" and isinstance(value, str):
        return _WITHOUT_SECONDS.sub(r"\1:00\2", value) if _WITHOUT_SECONDS.fullmatch(value) else value
    return value


def _checked(known: dict[str, Any], faults: list[str], *, strict: bool) -> Outcome:
    converted = {}
    for name, field in FIELDS.items():
        value = known.get(name)
        if value is None:
            if field.required:
                faults.append(
                    f"{name}: is null" + (" (no verdict)" if name == "success" else "")
                    if name in known
                    else f"{name}: is missing"
                )
            continue
        try:
            # Not even in CSV is a bare number a time: nobody knows whether seconds or milliseconds.
            converted[name] = msgspec.convert(value, field.type, strict=strict or name == "timestamp")
        except msgspec.ValidationError as fault:
            faults.append(f"{name}: {_plain(name, str(fault))}, got {short(value)}")
            continue
        except UnicodeEncodeError:
            faults.append(f"{name}: is not Unicode text")
            continue
        if isinstance(value, str) and not value.isascii() and _SURROGATE.search(value):
            faults.append(f"{name}: is not Unicode text")
    if faults:
        across = Outcome(**{**_HARMLESS, **converted}).faults(horizon(datetime.now(timezone.utc)))
        raise InvalidOutcome(faults + across)
    return Outcome(**converted)


def _plain(name: str, said: str) -> str:
    """Return msgspec's message in the words of somebody who writes outcomes."""
    if name == "timestamp":
        if "timezone" in said:
            return "needs a Z or an offset such as +02:00"
        return "expected a time such as 2026-01-31T12:00:00Z"
    said = said.partition(", got ")[0].replace(" | null", "").replace("`", "")
    return said[:1].lower() + said[1:].replace("bool", "true or false")


def short(value: Any) -> str:
    """Return a value from outside for a message: its JSON in at most 60 characters."""
    if isinstance(value, str):
        value = value[:60]
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (RecursionError, ValueError):
        return "a deeply nested value"
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= 60 else text[:57] + "..."


def json_object(line: bytes) -> dict[str, Any]:
    """Return the object that a line holds, read by the standard library: it says where a fault is."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise InvalidOutcome([f"not UTF-8 at byte {fault.start + 1}"]) from None
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
        if not isinstance(value, dict):
            raise InvalidOutcome([f"expected a JSON object, got {short(value)}"])
        msgspec.json.encode(value)
    except json.JSONDecodeError as fault:
        raise InvalidOutcome([f"not JSON at column {fault.colno}: {fault.msg}"]) from None
    except InvalidOutcome:
        raise
    except RecursionError:
        raise InvalidOutcome(["not JSON that can be read: nested too deeply"]) from None
    except UnicodeEncodeError:
        raise InvalidOutcome(["holds half of a surrogate pair, which is no text"]) from None
    except ValueError as fault:  # an integer of thousands of digits
        raise InvalidOutcome([f"not JSON that can be read: {fault}"]) from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidOutcome([f"{name} is not JSON"])


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise InvalidOutcome([f"{short(key)} is given twice"])
        values[key] = value
    return values
