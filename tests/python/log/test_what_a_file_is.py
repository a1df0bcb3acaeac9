"""The content of a file decides, not its name, separator, encoding or line ends. A file without outcomes is refused."""

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("made")

TABLE = (
    "Task Type,modelId,SUCCESS,cost-usd,timestamp,lane\n"
    "tidy,wren,true,0.5,2026-03-01T08:00:00Z,left\n"
    '"tidy up",finch,false,0.25,2026-03-02T08:00:00Z,right\n'
)
ROWS = [("tidy", "wren", 1, 0.5, '{"lane":"left"}'), ("tidy up", "finch", 0, 0.25, '{"lane":"right"}')]
OUTCOME = {"task_type": "tidy", "model_id": "wren", "success": True, "timestamp": "2026-03-01T08:00:00Z"}


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("before", "encoding", "end"),
    [
        ("", "utf-8", "\n"),
        ("sep={}\n", "utf-8-sig", "\r\n"),
        ("\n\n", "utf-16", "\n"),
        ("", "utf-16", "\r"),
        ("\ufeff", "utf-32-be", "\r\n"),
        ("", "utf-8", "\r"),
    ],
)
def test_a_table_of_any_kind_grows(
    invoke, query, tmp_path: Path, separator: str, before: str, encoding: str, end: str
) -> None:
    text = (before.format(separator) + TABLE.replace(",", separator)).replace("\n", end)
    file = tmp_path / "table.jsonl"
    bom = text.rstrip(end).rpartition(end)[0] + end
    file.write_bytes(bom.encode(encoding))
    assert "1 accepted" in invoke("load", file).stdout
    file.write_bytes(text.encode(encoding))
    for counts in ("1 accepted, 0 duplicates", "0 accepted, 0 duplicates"):
        result = invoke("load", file)
        assert (result.exit_code, counts in result.stdout) == (0, True)
    assert query("select task_type, model_id, success, cost_usd, attributes from model_outcomes order by id") == ROWS


PRETTY = json.dumps(OUTCOME, indent=2)


@pytest.mark.parametrize(
    ("name", "content", "count"),
    [
        ("one.json", json.dumps(OUTCOME), 1),
        ("one.json", PRETTY, 1),
        ("lines.json", f"{json.dumps(OUTCOME)}\n" * 2, 2),
        ("objects.jsonl", f"{PRETTY}\n{PRETTY}", 2),
        ("objects.ndjson", json.dumps({"attributes": [1, {"a": "}\n{"}], **OUTCOME}, indent=None) + "\n", 0),
        ("array.jsonl", f"[\n{json.dumps(OUTCOME)},\n{json.dumps(OUTCOME)}]", 2),
        ("lines.csv", f"{json.dumps(OUTCOME)}\n", 1),
        ("wide.csv", ",task_type,model_id,success,timestamp,,\n0,a,b,1,2026-03-01T08:00:00Z,,\n", 1),
    ],
)
def test_json_is_complete_where_its_value_ends(
    invoke, query, tmp_path: Path, name: str, content: str, count: int
) -> None:
    (tmp_path / name).write_text(content)
    result = invoke("load", tmp_path / name)
    assert "waits" not in result.stderr
    assert query("select count(*) from model_outcomes") == [(count,)]


WRAPPED = {"version": 3, "results": [OUTCOME]}


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("wrapped.json", json.dumps(WRAPPED, indent=1), "inside an object, under results"),
        ("wrapped.json", json.dumps(WRAPPED), "--map"),
        ("spans.jsonl", '{"span": 1, "model": "m"}\n' * 5, "its first object has span, model; load the file of a tool"),
        ("spans.json", '[{"span": 1}, {"span": 2}]', "its first object has span"),
        ("long.json", json.dumps({"evals": ["x" * 80] * 40_000, "stats": 1}), "its first object has evals"),
        ("long.json", json.dumps([{"evals": ["x" * 80] * 40_000}] * 2), "its first object has evals"),
        ("table.csv", "model,verdict\nm,1\n", "its first line has model, verdict"),
        ("page.csv", "<!DOCTYPE html><p>sign in", "is a web page"),
        ("pointer.jsonl", "version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (
            "heads.csv",
            "task_type,task_type,timestamp,lane,lane\n",
            "has no column model_id, success: name them in the first line; it has columns twice: task_type, lane",
        ),
        ("half.csv", TABLE.encode("utf-16")[:-1], "is UTF-16 that ends within a character"),
        ("half.csv", TABLE.encode("utf-16-le"), "looks like UTF-16 without a byte order mark"),
        ("bad.csv", TABLE.encode("utf-16") + b"\x00\xd8" * 3 + b"a\0", "is UTF-16 with a fault near byte"),
        ("nul.csv", TABLE.replace("wren", "wr\0en"), "is binary"),
        ("pretty.json", PRETTY + "\n]", "expected an object at byte"),
        ("cut.json", PRETTY[:-5], "has no end"),
        ("wide.csv", ",".join(f"c{number}" for number in range(100_000)) + "\n", "c0, c1, c2 and 99,997 more"),
    ],
)
def test_a_file_without_outcomes_is_refused_as_a_whole(
    invoke, query, tmp_path: Path, name: str, content: Any, words: str
) -> None:
    (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
    result = invoke("load", tmp_path / name)
    assert (result.exit_code, words in result.stderr) == (2, True), result.output
    assert len(result.stderr) < 1_000
    for table in ("model_outcomes", "rejected_outcomes", "load_history"):
        assert query(f"select count(*) from {table}") == [(0,)]
