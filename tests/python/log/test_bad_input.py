"""Bad input: what cannot be read changes nothing, what can be read comes in, the rest is kept with its reasons."""

import gzip
import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.base.messages import Fault

pytestmark = pytest.mark.usefixtures("made")

HEADER = b"task_type,model_id,success,timestamp\n"
RECORD = b"coding,alpha,true,2026-01-31T12:00:00Z\n"
NOISE = random.Random(7).randbytes(3000)


def refused_whole(invoke, query, name: object, *said: str, input: bytes | None = None) -> None:
    result = invoke("load", name, input=input)
    assert result.exit_code == 2
    (fault,) = result.stderr.splitlines()
    for word in said:
        assert word in fault
    tables = ("model_outcomes", "rejected_outcomes", "load_history")
    assert [query(f"select count(*) from {table}") for table in tables] == [[(0,)]] * 3


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("log.jsonl", NOISE, "binary"),
        ("log.csv", NOISE, "binary"),
        ("log", b"\0" * 100, "binary"),
        ("log.jsonl", b"[1, 2]\n", "not JSON Lines"),
        ("log.json", b"[{", "not a JSON array"),
        ("log.json", b'[{"a": 1}] [', "not a JSON array"),
        ("log.json", b'[{"a": 1}, \xff]', "not a JSON array"),
        ("log.csv", b"task_type,model_id,timestamp\nt,m,2026-01-31T12:00:00Z\n", "no column success"),
        ("log.csv", b"task_type,model_id,success,timestamp,taskType\n", "columns twice: task_type"),
        ("log.txt", b"Dear Sir or Madam,\n", "its first line has Dear Sir or Madam"),
        ("log.jsonl.gz", gzip.compress(RECORD * 50, mtime=0)[:12], "damaged"),
        ("log.jsonl.gz", b"\x1f\x8b" + NOISE, "damaged"),
    ],
)
def test_a_file_that_is_something_else_changes_nothing(
    invoke, query, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    refused_whole(invoke, query, tmp_path / name, str(tmp_path / name), said)


def test_the_format_it_is_said_to_be_decides(invoke, tmp_path: Path, line) -> None:
    (tmp_path / "log.jsonl").write_bytes(line())
    result = invoke("load", "--format", "csv", tmp_path / "log.jsonl")
    assert (result.exit_code, "holds no outcomes" in result.stderr) == (2, True)


def test_no_such_file(invoke, query, tmp_path: Path) -> None:
    refused_whole(invoke, query, tmp_path / "none.jsonl", str(tmp_path / "none.jsonl"), "No such file")


def test_a_folder(invoke, query, tmp_path: Path) -> None:
    refused_whole(invoke, query, tmp_path, str(tmp_path), "directory")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_no_read_permission(invoke, query, tmp_path: Path, line) -> None:
    (tmp_path / "log.jsonl").write_bytes(line())
    (tmp_path / "log.jsonl").chmod(0)
    refused_whole(invoke, query, tmp_path / "log.jsonl", "Permission denied")


def test_standard_input_is_named(invoke, query) -> None:
    refused_whole(invoke, query, "-", "standard input", "binary", input=NOISE)


FAULTS: list[tuple[dict[str, Any], list[str]]] = [
    ({"task_type": ...}, ["task_type: is missing"]),
    ({"model_id": None}, ["model_id: is null"]),
    ({"success": None}, ["success: is null (no verdict)"]),
    ({"task_type": ""}, ["task_type: expected str of length >= 1"]),
    ({"task_type": "\t "}, ["task_type: is blank"]),
    ({"model_id": 7}, ["model_id: expected str"]),
    ({"model_id": "a\0b"}, ["model_id: holds a NUL character"]),
    ({"model_id": "m" * 501}, ["model_id: expected str of length <= 500"]),
    ({"success": "perhaps"}, ["success: expected true or false"]),
    ({"success": 2}, ["success: expected true or false"]),
    ({"input_tokens": 5, "cached_input_tokens": 6}, ["cached_input_tokens: is above input_tokens"]),
    ({"tokens_used": -1}, ["tokens_used: expected int >= 0"]),
    ({"tokens_used": 1.5}, ["tokens_used: expected int"]),
    ({"tokens_used": True}, ["tokens_used: expected int"]),
    ({"tokens_used": 9 * 10**18}, ["tokens_used: expected int <= 1000000000000"]),
    ({"tokens_used": 10**40}, ["tokens_used: expected int <= 1000000000000"]),
    ({"cost_usd": -0.5}, ["cost_usd: expected float >= 0.0"]),
    ({"cost_usd": 1e7}, ["cost_usd: expected float <= 1000000.0"]),
    ({"cost_usd": "one"}, ["cost_usd: expected float"]),
    ({"cost_usd": float("nan")}, ["NaN is not JSON"]),
    ({"cost_usd": float("inf")}, ["Infinity is not JSON"]),
    ({"duration_ms": []}, ["duration_ms: expected int"]),
    ({"event_id": ""}, ["event_id: expected str of length >= 1"]),
    ({"cost_source": "guess"}, ["cost_source: invalid enum value"]),
    ({"timestamp": "2026-01-31T12:00:00"}, ["timestamp: needs a Z or an offset"]),
    ({"timestamp": "2026-02-31T12:00:00Z"}, ["timestamp: expected a time"]),
    ({"timestamp": 17698608}, ["timestamp: expected a time"]),
    ({"timestamp": "2999-01-01T00:00:00Z"}, ["timestamp: more than a day ahead"]),
    ({"timestamp": "9999-12-31T23:59:59-14:00"}, ["timestamp: more than a day ahead"]),
    ({"timestamp": "0001-01-01T00:00:00+14:00"}, ["timestamp: before 1970"]),
    (
        {"task_type": " ", "model_id": ..., "timeout": True, "tokens_used": -1, "timestamp": "2999-01-01T00:00:00Z",
         "event_id": "NaN"},
        ["model_id: is missing", "tokens_used: expected int >= 0", "task_type: is blank",
         "event_id: names no event", "timestamp: more than a day ahead"],
    ),
]  # fmt: skip
LINES: list[tuple[bytes, str]] = [
    (b'{"task_type": "coding", "model_id": "alpha"', "not JSON at column"),
    (b"nonsense", "not JSON at column 1"),
    (b"[1]", "expected a JSON object"),
    (b'"text"', "expected a JSON object"),
    (b"null", "expected a JSON object"),
    (b'{"task_type": "\xff\xfe"}', "not UTF-8 at byte 16"),
    (b'{"task_type": "\\ud800"}', "surrogate"),
    (b'{"task_type": "t", "task_type": "u"}', '"task_type" is given twice'),
    (b'{"task_type": "t", "taskType": "t"}', "task_type: given twice"),
    (b'{"cost_usd": 1e400}', "cost_usd: expected float <= 1000000.0"),
    (b'{"tokens_used": ' + b"9" * 5000 + b"}", "not JSON that can be read"),
    (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    (b'{"task_type": "' + b"x" * 1_000_000 + b'"}', "longer than 1,000,000 bytes"),
    (b'{"task_type": "' + b"x" * 3_500_000 + b'"}', "longer than 1,000,000 bytes"),
    (b"\0\1\2", "not JSON at column 1"),
]


def one_refused(query, raw: bytes) -> list[str]:
    """The reasons for which the second of three lines is kept."""
    assert query("select count(*) from model_outcomes") == [(2,)]
    ((number, reasons, raw_text),) = query("select line_number, reasons, raw_text from rejected_outcomes")
    assert (number, raw_text) == (2, raw.strip()[:4096].decode("utf-8", "replace"))
    return [str(Fault(**fault)) for fault in json.loads(reasons)]


@pytest.mark.parametrize(("fields", "reasons"), FAULTS, ids=lambda value: str(value)[:40])
def test_every_fault_of_a_line_is_named(invoke, query, line, fields: dict[str, Any], reasons: list[str]) -> None:
    bad = line(**fields)
    result = invoke("load", "-", input=line() + bad + line())
    assert result.exit_code == 3
    assert reasons[0] in result.stderr
    found = one_refused(query, bad)
    assert len(found) == len(reasons)
    for reason, expected in zip(found, reasons, strict=True):
        assert reason.startswith(expected)


@pytest.mark.parametrize(("bad", "reason"), LINES, ids=lambda value: str(value)[:40])
def test_a_bad_line_does_not_keep_out_the_good_ones(invoke, query, line, bad: bytes, reason: str) -> None:
    result = invoke("load", "-", input=line() + bad + b"\n" + line())
    assert result.exit_code == 3
    assert reason in "; ".join(one_refused(query, bad))


@pytest.mark.parametrize(("bad", "reason"), LINES, ids=lambda value: str(value)[:40])
def test_a_bad_last_line_needs_no_newline(invoke, query, line, bad: bytes, reason: str) -> None:
    assert invoke("load", "-", input=line() + bad).exit_code == 3
    assert query("select count(*) from model_outcomes") == [(1,)]
    assert query("select count(*) from rejected_outcomes where line_number = 2") == [(1,)]


@pytest.mark.parametrize("between", [b"", b" ", b"\t"])
def test_two_objects_are_not_one_line(invoke, query, line, between: bytes) -> None:
    bad = line().strip() + between + line()
    assert invoke("load", "-", input=line() + bad + line()).exit_code == 3
    assert "not JSON at column" in one_refused(query, bad)[0]


def test_an_object_over_several_lines_is_refused_line_by_line(invoke, query, line) -> None:
    pretty = json.dumps(json.loads(line()), indent=1).encode() + b"\n"
    assert invoke("load", "-", input=line() + pretty).exit_code == 3
    assert query("select count(*) from model_outcomes") == [(1,)]
    assert query("select count(*) from rejected_outcomes") == [(pretty.count(b"\n"),)]


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (b"coding,alpha,true\n", "has 3 fields, the header has 4"),
        (b"coding,alpha,true,2026-01-31T12:00:00Z,more\n", "has 5 fields, the header has 4"),
        (b"coding,,true,2026-01-31T12:00:00Z\n", "model_id: is missing"),
        (b"coding,alpha,perhaps,2026-01-31T12:00:00Z\n", "success: expected true or false"),
        (b"coding,alpha,true,17698608\n", "timestamp: expected a time"),
        (b"coding,al\xffpha,true,2026-01-31T12:00:00Z\n", "not UTF-8 at byte 10"),
        (b'coding,"al"pha,true,2026-01-31T12:00:00Z\n', "not CSV"),
        (b'coding,"alpha,true,2026-01-31T12:00:00Z\n', "not CSV"),
        (b"coding," + b"x" * 3_000_000 + b",true,2026-01-31T12:00:00Z\n", "longer than 1,000,000 bytes"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_record_of_csv_does_not_keep_out_the_good_ones(invoke, query, bad: bytes, reason: str) -> None:
    assert invoke("load", "-", input=HEADER + RECORD + bad + RECORD).exit_code == 3
    assert query("select count(*) from model_outcomes") == [(2,)]
    ((number, reasons),) = query("select line_number, reasons from rejected_outcomes")
    assert (number, reason in "; ".join(str(Fault(**fault)) for fault in json.loads(reasons))) == (3, True)


def test_lines_are_counted_through_quoted_newlines(invoke, query) -> None:
    quoted = b'"coding\nin\ntwo",alpha,true,2026-01-31T12:00:00Z\n'
    assert invoke("load", "-", input=HEADER + quoted + b"\n" + RECORD + b"bad\n").exit_code == 3
    assert query("select task_type from model_outcomes order by id") == [("coding\nin\ntwo",), ("coding",)]
    assert query("select line_number from rejected_outcomes") == [(7,)]


@pytest.mark.parametrize("limit", [0, 1, 2, 3])
def test_max_rejects_decides_the_exit_code_alone(invoke, query, line, limit: int) -> None:
    result = invoke("load", "--max-rejects", limit, "-", input=line() + b"a\nb\n" + line())
    assert result.exit_code == (0 if limit >= 2 else 3)
    assert "2 accepted, 0 duplicates, 2 rejected" in result.stdout
    assert query("select accepted_count, rejected_count from load_history") == [(2, 2)]


def test_a_line_refused_once_is_not_counted_again(invoke, query, line, tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_bytes(line() + b"bad\n")
    assert invoke("load", tmp_path / "log.jsonl").exit_code == 3
    assert invoke("load", tmp_path / "log.jsonl").exit_code == 0
    assert query("select count(*) from rejected_outcomes") == [(1,)]


def test_a_gz_cut_short_gives_its_whole_rows_and_the_rest_later(invoke, query, line, tmp_path: Path) -> None:
    lines = [line(model_id=random.Random(n).randbytes(40).hex()) for n in range(2000)]
    packed = gzip.compress(b"".join(lines))
    file = tmp_path / "log.jsonl.gz"
    file.write_bytes(packed[: len(packed) // 2])
    result = invoke("load", file)
    assert (result.exit_code, "damaged" in result.stderr) == (3, True)
    ((some,),) = query("select count(*) from model_outcomes")
    assert 0 < some < 2000
    assert query("select line_number from rejected_outcomes") == [(some + 1,)]
    assert query("select rejected_count, end_line from load_history") == [(1, some + 1)]
    file.write_bytes(packed)
    assert invoke("load", file).exit_code == 0
    assert query("select model_id from model_outcomes order by id") == [
        (json.loads(text)["model_id"],) for text in lines
    ]


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("log.jsonl", b"", 0),
        ("log.csv", b"", 0),
        ("log", b"", 0),
        ("log.json", b"[]", 0),
        ("log.jsonl", b"\n  \n\r\n", 0),
        ("log.csv", HEADER, 0),
        ("log.csv", b"\xef\xbb\xbf" + HEADER + RECORD, 1),
        ("log.csv", HEADER.replace(b"\n", b"\r\n") + b"\r\n" + RECORD.replace(b"\n", b"\r\n"), 1),
        ("log.csv", b"success, timestamp ,model_id,task_type\n" + b"1, 2026-01-31T12:00:00Z,m,t\n", 1),
        ("log.jsonl.gz", gzip.compress(b"", mtime=0), 0),
    ],
)
def test_what_is_not_there_is_no_fault(invoke, query, tmp_path: Path, name: str, content: bytes, rows: int) -> None:
    (tmp_path / name).write_bytes(content)
    result = invoke("load", tmp_path / name)
    assert (result.exit_code, result.stderr) == (0, "")
    assert f"{rows} accepted, 0 duplicates, 0 rejected" in result.stdout
    assert query("select count(*) from model_outcomes") == [(rows,)]


@pytest.mark.parametrize("name", ["log.jsonl", "log"])
def test_bom_crlf_and_blank_lines_are_read_as_if_not_there(invoke, query, line, tmp_path: Path, name: str) -> None:
    content = b"\xef\xbb\xbf" + line(model_id="first") + b"\n  \n" + line(model_id="second")
    (tmp_path / name).write_bytes(content.replace(b"\n", b"\r\n"))
    result = invoke("load", tmp_path / name)
    assert (result.exit_code, result.stderr) == (0, "")
    assert query("select model_id from model_outcomes order by id") == [("first",), ("second",)]


def test_an_array_may_begin_with_a_bom(invoke, query, line) -> None:
    assert invoke("load", "-", input=b"\xef\xbb\xbf\n[" + line() + b"]").exit_code == 0
    assert query("select count(*) from model_outcomes") == [(1,)]


def test_unknown_fields_are_counted_in_one_warning(invoke, query, line) -> None:
    result = invoke("load", "-", input=line(colour="red") * 2 + line(colour="blue", mood=None) + line())
    assert (result.exit_code, result.stderr.strip().count("\n")) == (0, 0)
    assert "colour (3)" in result.stderr
    assert "mood (1)" in result.stderr
    assert query("select count(*) from model_outcomes") == [(4,)]


def test_an_unknown_column_is_passed_over(invoke, query) -> None:
    result = invoke("load", "-", input=b"colour," + HEADER + b"red," + RECORD)
    assert (result.exit_code, "colour" in result.stderr) == (0, True)
    assert query("select model_id from model_outcomes") == [("alpha",)]


def test_another_outcome_under_a_known_event_id_is_refused_alone(invoke, query, line) -> None:
    first, other = line(event_id="e1"), line(event_id="e1", model_id="beta")
    result = invoke("load", "-", input=first + other + first + line(event_id="e2"))
    assert result.exit_code == 3
    assert "2 accepted, 1 duplicates, 1 rejected" in result.stdout
    assert query("select event_id, success from model_outcomes order by id") == [("e1", 1), ("e2", 1)]
    assert query("select line_number from rejected_outcomes where reasons like '%recorded before%'") == [(2,)]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("modelid", "model_id"), ("cost", "cost_usd"), ("Task-Type", "task_type"), ("tokens", "tokens_used"),
     ("durationMS", "duration_ms"), ("colour", None), ("id", None)],
)  # fmt: skip
def test_a_near_miss_of_a_known_field_is_suggested(invoke, line, name: str, meant: str | None) -> None:
    said = invoke("load", "-", input=line(**{name: 1})).stderr
    assert (f"{name} (1)" if meant is None else f"{name} (1; {meant} is one)") in said


def test_extra_reject_refuses_a_line_with_an_unknown_field(invoke, query, line) -> None:
    bad = line(modelid="alpha")
    result = invoke("load", "--extra", "reject", "-", input=line() + bad + line())
    assert (result.exit_code, "ignored" in result.stderr) == (3, False)
    assert one_refused(query, bad) == ["modelid: is no known field; model_id is one"]


def test_extra_reject_refuses_a_file_with_an_unknown_column(invoke, query) -> None:
    refused_whole(
        lambda *call, input: invoke(*call[:1], "--extra", "reject", *call[1:], input=input),
        query, "-", "columns that are not known: cost", "cost_usd", input=HEADER.replace(b"\n", b",cost\n"),
    )  # fmt: skip


@pytest.mark.parametrize("bad", [b"nonsense\n", b"twice"], ids=["line", "event"])
def test_all_or_nothing_takes_a_file_whole_or_not_at_all(invoke, query, line, tmp_path: Path, bad: bytes) -> None:
    if bad == b"twice":  # what only the log itself can refuse
        bad = line(event_id="e", model_id="alpha") + line(event_id="e", model_id="beta")
    good = b"".join(line(task_id="x" * 400, duration_ms=number) for number in range(5_000))
    (tmp_path / "bad.jsonl").write_bytes(good + bad)
    (tmp_path / "good.jsonl").write_bytes(good)
    result = invoke("load", "--all-or-nothing", tmp_path / "bad.jsonl")
    assert (result.exit_code, result.stderr.count("\n"), "nothing loaded, 1 rejected" in result.stderr) == (3, 1, True)
    tables = ("model_outcomes", "rejected_outcomes", "load_history")
    assert [query(f"select count(*) from {table}") for table in tables] == [[(0,)]] * 3
    assert invoke("load", "--all-or-nothing", tmp_path / "good.jsonl").exit_code == 0
    assert query("select count(*) from model_outcomes") == [(5_000,)]
