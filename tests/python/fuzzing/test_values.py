"""Any value in any field, from Python, as JSON, as CSV and as a legacy cell, ends as an outcome or as its faults."""

import json
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model_outcomes.base.settings import LoadSettings
from model_outcomes.intake import legacy
from model_outcomes.intake.field_map import FieldMap
from model_outcomes.log import outcome, spellings, validation
from model_outcomes.log.outcome import InvalidOutcome

NOW = datetime(2026, 2, 1, tzinfo=timezone.utc)
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.datetimes(timezones=st.none() | st.timezones()),
    st.sampled_from(["2026-01-31T12:00:00Z", "t", 0, 1, 10**12, 10**12 + 1, 1e6, "provider", "", " ", "\0", "\ud800"]),
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
GOOD = {"task_type": "t", "model_id": "m", "success": True, "timestamp": "2026-01-31T12:00:00Z"}
NAMES = st.sampled_from([*outcome.FIELDS, *validation.CAMEL_CASE]) | st.text()


def ends(parse, *arguments: Any) -> None:
    faults: Sequence[object] = ["none"]
    row = None
    try:
        row = outcome.check(parse(*arguments), outcome.horizon(NOW)).row()
    except InvalidOutcome as fault:
        faults = fault.faults
    assert faults
    assert row is None or (len(row) in outcome.INSERTS, row[6][-1], len(row[6])) == (True, "Z", 27)


@settings(max_examples=300, deadline=None)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(outcome.FIELDS, SCALARS)))
def test_python_values(values: dict[str, Any]) -> None:
    ends(validation.from_values, {**dict.fromkeys(outcome.FIELDS), **GOOD, **values})


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(NAMES, JSON, max_size=4))
def test_json_objects(values: dict[str, Any]) -> None:
    ends(validation.parse_json, json.dumps({**GOOD, **values}).encode())


@settings(max_examples=300, deadline=None)
@given(st.binary() | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_lines(line: bytes) -> None:
    ends(validation.parse_json, line)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*outcome.FIELDS]), st.text(), max_size=5))
def test_csv_texts(values: dict[str, str]) -> None:
    ends(validation.parse_texts, {**{name: str(value) for name, value in GOOD.items()}, "success": "1", **values})


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*legacy._JSON_NAMES, "successRate"]), JSON) | JSON, st.text(), st.text())
def test_legacy_cells(cell: Any, task_type: str, model_id: str) -> None:
    found, faults = legacy._checked((task_type, model_id), cell)
    assert (found is None) == bool(faults)
    if found is not None:
        assert all(type(count) is int and count >= 0 for count in found.balance())


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, "\ud800", b"bytes", object(), [], {}, 1j])
@pytest.mark.parametrize("name", [*outcome.FIELDS])
def test_python_objects_of_any_kind(name: str, value: Any) -> None:
    ends(validation.from_values, {**dict.fromkeys(outcome.FIELDS), **GOOD, name: value})


LIKELY = st.from_regex(r"[ $]?[-+0-9]{1,7}([.,:T -][0-9]{1,6}){0,6} ?(Z|UTC|USD|[+-][0-9:]{1,5})?", fullmatch=True)
PATHS = st.sampled_from(["a", "b", "a.b", "b.a", "a.b.c", ""])


@settings(max_examples=500, deadline=None)
@given(st.sampled_from([*outcome.FIELDS]), SCALARS | JSON | LIKELY)
def test_spellings(name: str, value: Any) -> None:
    plain = spellings.plain(name, value, ZoneInfo("Europe/Berlin"))
    assert plain is None or isinstance(plain, (bool, int, float, datetime))
    ends(lambda: validation.parse_fields({**GOOD, name: value}, is_foreign=True, zone=ZoneInfo("Europe/Berlin")))


@settings(max_examples=500, deadline=None)
@given(
    st.dictionaries(PATHS, JSON | LIKELY, max_size=4),
    st.dictionaries(st.sampled_from([*outcome.FIELDS]), PATHS, max_size=3),
    st.dictionaries(st.sampled_from(["duration", "timestamp"]), st.sampled_from(["seconds", "nanoseconds"])),
)
def test_mapped_records(record: dict[str, Any], paths: dict[str, str], units: dict[str, str]) -> None:
    table = LoadSettings(map=paths, unit=units, success="a.b=x,1", columns={"task_type": "t", "model_id": "m"})
    ends(lambda: validation.parse_fields(FieldMap.of(table).mapped(record), is_foreign=True))
