"""Each scalar macro on values worked out by hand."""

import json

import pytest

CASES = [
    ("to_nano_usd('0.1')", 100_000_000),
    ("to_nano_usd('0.0000000015')", 2),
    ("to_nano_usd('1000000.0')", 10**15),
    ("to_nano_usd('null')", None),
    ("utc_timestamp(\"'2026-03-01T01:30:00+02:00'\")", "2026-02-28 23:30:00.000"),
    ("utc_timestamp(\"'2026-03-01 01:30:15.1259Z'\")", "2026-03-01 01:30:15.125"),
    ("utc_timestamp(\"'2026-03-01T01:30'\")", "2026-03-01 01:30:00.000"),
    ("utc_timestamp(\"'no time'\")", None),
    ("utc_timestamp('null')", None),
    ("utc_timestamp_of_ms('1772321415126')", "2026-02-28 23:30:15.126"),
    ("utc_timestamp_of_ms('951868799999')", "2000-02-29 23:59:59.999"),
    ("day_of(utc_timestamp_of_ms('951868800000'))", "2000-03-01"),
    ("utc_timestamp_of_ms('null')", None),
    ("day_of(\"'2026-02-28 23:30:00.000'\")", "2026-02-28"),
    ("utc_day(\"'2026-03-01T01:30:00+02:00'\")", "2026-02-28"),
    ("utc_day(\"'2026-02-28T23:59:59.9999Z'\")", "2026-02-28"),
    ("day_of(utc_timestamp(\"'2026-02-28T23:59:59.9999Z'\"))", "2026-02-28"),
    ("utc_day('null')", None),
    ("days_after(\"'2024-02-28'\", 2)", "2024-03-01"),
    ("days_after(\"'2026-01-01'\", '1 - 2')", "2025-12-31"),
    ("days_after('null', 1)", None),
    ("days_between(\"'2024-02-28'\", \"'2024-03-01'\")", 2),
    ("days_between(\"'2026-01-01'\", \"'2025-01-01'\")", -365),
    ("'typeof(cast(1 as ' ~ double_type() ~ '))'", "real"),
    ("'typeof(cast(1 as ' ~ text_type() ~ '))'", "text"),
    ("backslash()", "\\"),
    *(
        (f"'case when ' ~ has_control_characters(\"'{text}'\") ~ ' then 1 else 0 end'", 0)
        for text in ("", "a-b [c]", "é\u2027")
    ),
    *(
        (f"'case when ' ~ has_control_characters(\"'a{sign}'\") ~ ' then 1 else 0 end'", 1)
        for sign in "\x01\t\x9f\u2028\u2069"
    ),
    ("dbt.safe_cast(\"'2024-12-31'\", 'UNKNOWN')", "2024-12-31"),
    ("dbt.safe_cast(\"'7'\", 'INTEGER')", 7),
]


@pytest.fixture(scope="module")
def results(module_project):
    selects = [f"select {number} as number, {{{{ {call} }}}} as result" for number, (call, _) in enumerate(CASES)]
    # One result column of many types: as JSON, or SQLite would give them all the first one's.
    rows = "\nunion all\n".join(selects)
    module_project.write(cases=f"select number, json_array(result) as result from (\n{rows}\n)")
    module_project.build()
    return {number: json.loads(result)[0] for number, result in module_project.query("select * from cases")}


@pytest.mark.parametrize("number", range(len(CASES)), ids=[call for call, _ in CASES])
def test_value(results, number):
    assert results[number] == CASES[number][1]
