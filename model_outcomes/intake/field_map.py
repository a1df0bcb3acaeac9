"""A map from the fields of any record, a CSV row or a JSON object, to the fields of an outcome."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from functools import cached_property
from typing import Any

from model_outcomes.base.errors import OutcomesError
from model_outcomes.base.messages import short, short_name
from model_outcomes.base.settings import LoadSettings
from model_outcomes.intake import recognition
from model_outcomes.log import outcome, spellings, validation

SHORT_NAMES = {"duration": "duration_ms", "cost": "cost_usd", "tokens": "tokens_used", "time": "timestamp"}
MILLISECONDS = {"nanoseconds": 1e-6, "microseconds": 1e-3, "milliseconds": 1.0, "seconds": 1e3, "minutes": 6e4}
DOLLARS = {"dollars": 1.0, "cents": 0.01, "microdollars": 1e-6}
UNITS = {"duration_ms": MILLISECONDS, "timestamp": MILLISECONDS, "cost_usd": DOLLARS}


@dataclass(frozen=True)
class Rule:
    """A verdict by a column: True if the column has one of the values."""

    column: str
    values: frozenset[str]

    def verdict(self, record: Mapping[str, Any]) -> bool | None:
        """Return the verdict of a record, None if its column is empty."""
        value = value_at(record, self.column)
        return None if value is None or value == "" else _text(value) in self.values


@dataclass(frozen=True)
class FieldMap:
    """`paths` has the column, or the path of a JSON value (`usage.input_tokens`), of each mapped field. `success` and
    `timeout` are rules. `units` has the unit of a field. `constants` are the values of fields that a record lacks."""

    paths: dict[str, str] = field(default_factory=dict)
    success: Rule | None = None
    timeout: Rule | None = None
    zone_name: str | None = None
    units: dict[str, str] = field(default_factory=dict)
    constants: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, table: LoadSettings) -> FieldMap:
        """Return the map that a table of outcomes.toml or the options describe. Raises OutcomesError."""
        constants = dict(table.columns)
        for name in ("task_type", "model_id", "timestamp"):
            if value := getattr(table, name):
                constants[name] = value
        for name in (*table.map, *constants):
            if name not in outcome.FIELDS:
                raise OutcomesError(f"{short_name(name)} is no field of an outcome{validation.suggestion(name)}")
        units = {SHORT_NAMES.get(name, name): unit for name, unit in table.unit.items()}
        for name, unit in units.items():
            if unit not in UNITS.get(name, ()):
                allowed = f"one of {', '.join(UNITS[name])}" if name in UNITS else f"only for {', '.join(UNITS)}"
                raise OutcomesError(f"the unit {short(unit)} of {short_name(name)} is not known: {allowed}")
        new = cls(dict(table.map), _rule(table.success), _rule(table.timeout), table.zone, units, constants)
        _ = new.zone
        return new

    @cached_property
    def zone(self) -> tzinfo | None:
        """Return the zone of times without an offset."""
        return spellings.zone_named(self.zone_name) if self.zone_name else None

    @property
    def provided(self) -> set[str]:
        """Return the fields that this map gives."""
        rules = {name for name, rule in (("success", self.success), ("timeout", self.timeout)) if rule}
        return {*self.paths, *self.constants, *rules}

    def bound(self, headers: Sequence[str], path: str) -> FieldMap:
        """Return the map with the headers of a table as they are written there. Raises OutcomesError if the table lacks
        some."""
        spelled = {header.casefold(): header for header in reversed(headers)} | {header: header for header in headers}
        rules = [rule for rule in (self.success, self.timeout) if rule]
        sources = [*self.paths.values(), *(rule.column for rule in rules)]
        header_of = {source: spelled.get(source) or spelled.get(source.casefold()) for source in sources}
        if missing := [source for source, header in header_of.items() if header is None]:
            raise OutcomesError(
                f"{path} has no column {recognition.names_shown(missing)}: it has {recognition.names_shown(headers)}"
            )

        def written(rule: Rule | None) -> Rule | None:
            return rule and replace(rule, column=header_of[rule.column] or "")

        paths = {name: header_of[source] or "" for name, source in self.paths.items()}
        return replace(self, paths=paths, success=written(self.success), timeout=written(self.timeout))

    def mapped(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return a record under the names of fields. What is not mapped keeps its name."""
        values = {name: value for name, value in record.items() if name not in self.provided - {*self.constants}}
        for source in self.paths.values():
            _remove(values, source)
        for name, source in self.paths.items():
            values[name] = value_at(record, source)
        for name, rule in (("success", self.success), ("timeout", self.timeout)):
            if rule:
                values[name] = rule.verdict(record)
        for name, value in self.constants.items():
            own = next((key for key in (name, validation.camel_case(name)) if values.get(key) not in (None, "")), None)
            if own is None:
                values.pop(validation.camel_case(name), None)
                values[name] = value
        for name, unit in self.units.items():
            values[name] = _converted(name, values.get(name), UNITS[name][unit])
        return values


def value_at(record: Mapping[str, Any], path: str) -> Any:
    """Return the value of a key, or of a path one level deep; None if it is absent."""
    if path in record:
        return record[path]
    head, _, rest = path.partition(".")
    inner = record.get(head)
    return inner.get(rest) if rest and isinstance(inner, Mapping) else None


def pairs_of(texts: Iterable[str], option: str) -> dict[str, str]:
    """Return the pairs of options such as `model_id=model,task_type=task`. Raises OutcomesError."""
    pairs = {}
    for text in texts:
        for part in next(csv.reader([text]), []):
            name, sign, value = part.partition("=")
            if not (name.strip() and sign and value.strip()):
                raise OutcomesError(f"{option} {short(text)}: expected NAME=VALUE, several with commas between them")
            pairs[name.strip()] = value.strip()
    return pairs


def _rule(text: str | None) -> Rule | None:
    if text is None:
        return None
    column, sign, values = text.partition("=")
    if not (column.strip() and sign and values.strip()):
        raise OutcomesError(f'the rule {short(text)} is no COLUMN=VALUE, such as "status=completed"')
    return Rule(column.strip(), frozenset(_text(value) for value in values.split(",")))


def _text(value: Any) -> str:
    return str(value).strip().casefold()


def _remove(values: dict[str, Any], path: str) -> None:
    if path in values:
        del values[path]
        return
    head, _, rest = path.partition(".")
    if rest and isinstance(values.get(head), Mapping):
        values[head] = {name: value for name, value in values[head].items() if name != rest}
        if not values[head]:
            del values[head]


def _converted(name: str, value: Any, factor: float) -> Any:
    number = spellings.amount(value) if isinstance(value, str) else value
    if not isinstance(number, (int, float)) or isinstance(number, bool) or not abs(number) < 1e20:
        return value
    if name == "timestamp":
        return number * factor if factor >= 1 else round(number * factor, 3)
    return round(number * factor) if name == "duration_ms" else number * factor
