"""Input of any kind becomes an outcome: JSON, CSV, Python's values, rows of the log.

msgspec decodes and validates a valid line in one step. A line that fails is examined field by field, so that every
fault in it is named.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping, MutableMapping, Set
from contextlib import suppress
from datetime import datetime, timezone
from decimal import Decimal
from typing import Any, Literal, NoReturn

import msgspec

from model_outcomes.base import messages
from model_outcomes.base.messages import NAMES_SHOWN, Fault, short, short_name
from model_outcomes.log.outcome import (
    COLUMNS,
    EARLIEST,
    FIELDS,
    SURROGATE,
    TYPES,
    InvalidOutcome,
    Outcome,
    check,
    horizon,
    new_event_id,
)

Extra = Literal["keep", "ignore", "reject"]
FLAGS = ("success", "timeout")
MISSPELLING_CHARACTERS = 60  # a longer name is no misspelling of a field
CAMEL_CASE = {re.sub("_([a-z])", lambda match: match[1].upper(), name): name for name in FIELDS}
_decoder = msgspec.json.Decoder(Outcome)
# Valid values in place of invalid ones, so that faults across the other fields are found as well.
_STAND_INS: dict[str, Any] = {"task_type": "-", "model_id": "-", "success": False, "timestamp": EARLIEST}
_PLAIN_TYPES = frozenset((str, int, float, bool, datetime, type(None)))
_WITHOUT_SECONDS = re.compile(r"\A(\d{4}-\d\d-\d\d[T ]\d\d:\d\d)(Z|[+-]\d\d:\d\d)\Z")


@dataclasses.dataclass
class UnknownFields:
    """The treatment of fields that no outcome has, and their counts.

    `extra` is `keep` (they become attributes), `ignore` or `reject` (they are faults). Fields that are kept or ignored
    are counted, for each of the first 20 names. `others` counts the fields under further names, because a file may have
    as many names as lines."""

    extra: Extra = "keep"
    counts: dict[str, int] = dataclasses.field(default_factory=dict)
    others: int = 0

    def add(self, name: str) -> None:
        name = short_name(name)
        if name in self.counts:
            self.counts[name] += 1
        elif len(self.counts) < NAMES_SHOWN:
            self.counts[name] = 1
        else:
            self.others += 1


def suggestion(name: str) -> str:
    """Return the field that `name` probably means, as the end of a message; "" if no field is similar."""
    from difflib import get_close_matches

    if len(name) > MISSPELLING_CHARACTERS:
        return ""
    plain = re.sub("[^a-z]", "", name.lower())
    squeezed = {field.replace("_", ""): field for field in FIELDS}
    close = [field for field in squeezed if len(plain) > 3 and field.startswith(plain)]
    close = close or get_close_matches(plain, squeezed, n=1, cutoff=0.8)
    return f"; {squeezed[close[0]]} is one" if close else ""


def decode_lines(block: bytes) -> list[Outcome]:
    """Return the outcomes of whole JSON Lines. Raises msgspec's errors if one of them is invalid."""
    outcomes = _decoder.decode_lines(block)
    # msgspec also accepts two objects on one line, and one object on several lines.
    if len(outcomes) != block.count(b"\n") + (not block.endswith(b"\n")):
        raise msgspec.DecodeError("not one object a line")
    return outcomes


def parse_json(line: bytes, unknown: UnknownFields | None = None) -> Outcome:
    """Return one JSON object as an outcome. Raises InvalidOutcome with all its faults. `unknown` says what becomes of
    unknown fields.
    """
    try:
        return _decoder.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        pass
    return parse_fields(json_object(line), unknown)


def from_values(values: MutableMapping[str, Any]) -> Outcome:
    """Return Python's values, by the names of FIELDS, as an outcome. None is absent.

    An absent `timestamp` becomes now. An absent `event_id` becomes a new one, so that an outcome counts once even if
    it is written to the log and to a spool. Scalars of numpy and pandas, and Decimals, become plain values.
    Raises InvalidOutcome with all faults except `not_unicode`, which the writer finds.
    """
    limit = None
    if values["timestamp"] is None:
        values["timestamp"] = datetime.now(timezone.utc)
    else:
        limit = horizon(datetime.now(timezone.utc))
    if values["event_id"] is None:
        values["event_id"] = new_event_id()
    if isinstance(values["attributes"], Mapping):
        with suppress(RecursionError):  # it contains itself, and cannot be encoded
            values["attributes"] = plain(values["attributes"])
    try:
        outcome = msgspec.convert(values, Outcome)
    except (msgspec.ValidationError, UnicodeEncodeError):
        present = {name: value for name, value in values.items() if value is not None or name == "success"}
        outcome = parse_fields({name: by_value(value) for name, value in present.items()})
    return check(outcome, limit)


def from_row(row: tuple[Any, ...]) -> Outcome:
    """Return the outcome that a row of the log (the values of COLUMNS) came from."""
    values = dict(zip(COLUMNS, row, strict=True))
    if values["cost_source"] is None and not values["cost_usd"]:
        values["cost_usd"] = None
    time_text = values["timestamp"]
    if not time_text.endswith("Z") and time_text[-6] not in "+-":
        values["timestamp"] = f"{time_text}Z"
    present = {name: value for name, value in values.items() if value is not None}
    return parse_fields({**present, "tokens_used": present["tokens_used"] or None})  # 0 is unknown


def plain(value: Any) -> Any:
    """Return mappings as dicts with texts as keys, collections and arrays as lists, and their scalars by value."""
    if isinstance(value, Mapping):
        return {key if type(key) is str else str(by_value(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, Set)):
        return [plain(item) for item in value]
    value = by_value(value)
    return plain(value.tolist()) if hasattr(value, "tolist") else value


def by_value(value: Any) -> Any:
    """Return the plain Python value of a subclass or of another library's scalar; other values as they are."""
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
    if isinstance(value, (float, Decimal)):
        return float(value)
    if isinstance(value, datetime):
        return datetime.combine(value.date(), value.timetz())
    return value


def parse_fields(values: Mapping[str, Any], unknown: UnknownFields | None = None) -> Outcome:
    """Return a mapping as an outcome. JSON of other languages may have camelCase names, 0 and 1 as flags, whole floats
    as integers, times without seconds."""
    faults: list[Fault] = []
    fields: dict[str, Any] = {}
    unknown = unknown or UnknownFields()
    attributes: dict[str, Any] = {}
    refused_count = 0
    for key, value in values.items():
        name = key if key in FIELDS else CAMEL_CASE.get(key)
        if name is None:
            if unknown.extra == "reject":
                refused_count += 1
                if refused_count <= NAMES_SHOWN:
                    faults.append(Fault(f"is no known field{suggestion(key)}", short_name(key)))
                continue
            unknown.add(key)
            if unknown.extra == "keep" and value is not None:
                attributes[key] = value
        elif name in fields:
            faults.append(Fault("given twice", name))
        else:
            fields[name] = _coerced(name, value)
    if refused_count > NAMES_SHOWN:
        faults.append(Fault(f"{refused_count - NAMES_SHOWN:,} more fields are not known"))
    _add_attributes(fields, attributes, faults)
    return _converted(fields, faults, strict=True)


def parse_texts(values: Mapping[str, str], attributes: Mapping[str, str] | None = None) -> Outcome:
    """Return texts by column name (a CSV row) as an outcome, and the texts of other columns as its attributes. Empty
    texts are absent."""
    faults: list[Fault] = []
    fields = {name: _coerced(name, text) for name, text in values.items() if text != ""}
    _add_attributes(fields, {name: text for name, text in (attributes or {}).items() if text != ""}, faults)
    return _converted(fields, faults, strict=False)


def _add_attributes(fields: dict[str, Any], attributes: Mapping[str, Any], faults: list[Fault]) -> None:
    """Add attributes to those that the field `attributes` has."""
    own = fields.get("attributes")
    if not attributes or not isinstance(own, (dict, type(None))):
        return
    faults += [Fault("given twice", f"attributes.{short_name(name)}") for name in attributes if name in (own or {})]
    fields["attributes"] = {**(own or {}), **attributes}


def parse_time(text: str) -> datetime:
    """Return the time, with its offset, that a text holds. Raises InvalidOutcome if it holds none."""
    try:
        moment: datetime = msgspec.convert(_coerced("timestamp", text), FIELDS["timestamp"].type)
    except msgspec.ValidationError as fault:
        raise InvalidOutcome([Fault(_problem("timestamp", fault), got=short(text))]) from None
    return moment


def _coerced(name: str, value: Any) -> Any:
    if name in FLAGS and type(value) is int and value in (0, 1):
        return bool(value)
    if type(value) is float and value.is_integer() and TYPES[name] is int:
        return int(value)
    if name == "attributes" and isinstance(value, str):  # as CSV and the log have it
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    if name == "timestamp" and isinstance(value, str):
        return _WITHOUT_SECONDS.sub(r"\1:00\2", value)
    return value


def _converted(fields: dict[str, Any], faults: list[Fault], *, strict: bool) -> Outcome:
    """Return fields as an outcome. Raises InvalidOutcome with `faults` and all that are found."""
    converted = {}
    for name, field in FIELDS.items():
        value = fields.get(name)
        if value is None:
            if field.required:
                null = "is null (no verdict)" if name == "success" else "is null"
                faults.append(Fault(null if name in fields else "is missing", name))
            continue
        try:
            # A bare number is no time, not even in CSV: it could be seconds or milliseconds.
            converted[name] = msgspec.convert(value, field.type, strict=strict or name == "timestamp")
        except msgspec.ValidationError as fault:
            faults.append(Fault(_problem(name, fault), name, short(value)))
            continue
        except UnicodeEncodeError:
            faults.append(Fault("is not Unicode text", name))
            continue
        if isinstance(value, str) and not value.isascii() and SURROGATE.search(value):
            faults.append(Fault("is not Unicode text", name))
    if faults:
        across = Outcome(**{**_STAND_INS, **converted}).faults(horizon(datetime.now(timezone.utc)))
        raise InvalidOutcome(faults + across)
    return Outcome(**converted)


def _problem(name: str, fault: msgspec.ValidationError) -> str:
    if name == "timestamp":
        if "timezone" in str(fault):
            return "needs a Z or an offset such as +02:00"
        return "expected a time such as 2026-01-31T12:00:00Z"
    return messages.mismatch(fault).problem.replace("bool", "true or false")


def json_object(line: bytes) -> dict[str, Any]:
    """Return the object that a line holds. The standard library reads it, because it tells the place of an error."""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as fault:
        raise InvalidOutcome([Fault(f"not UTF-8 at byte {fault.start + 1}")]) from None
    try:
        value = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_object)
        if not isinstance(value, dict):
            raise InvalidOutcome([Fault("expected a JSON object", got=short(value))])
        msgspec.json.encode(value)
    except json.JSONDecodeError as fault:
        raise InvalidOutcome([Fault(f"not JSON at column {fault.colno}: {fault.msg}")]) from None
    except InvalidOutcome:
        raise
    except RecursionError:
        raise InvalidOutcome([Fault("not JSON that can be read: nested too deeply")]) from None
    except UnicodeEncodeError:
        raise InvalidOutcome([Fault("holds half of a surrogate pair, which is no text")]) from None
    except ValueError as fault:  # an integer of thousands of digits
        raise InvalidOutcome([Fault(f"not JSON that can be read: {fault}")]) from None
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidOutcome([Fault(f"{name} is not JSON")])


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise InvalidOutcome([Fault(f"{short(key)} is given twice")])
        values[key] = value
    return values
